//! Jobs in the dialects of several releases.

use super::*;
use crate::scripted::{lines, result_of};
use crate::xml::read_reply;

fn result(inner: &str) -> Node {
    let body = format!("<response status='success'><result>{inner}</result></response>");
    read_reply(200, None, body.as_bytes()).unwrap()
}

#[test]
fn only_an_empty_result_is_one_without_jobs() {
    assert_eq!(list(&result("")), Ok(Vec::new()));
    for something in ["Server error", "<jobs><job><id>1</id></job></jobs>", "<msg/>"] {
        let read = list(&result(something));
        assert!(
            matches!(read, Err(Failure::Unreadable { .. })),
            "{something}: {read:?}"
        );
    }
}

#[test]
fn the_number_of_a_new_job() {
    assert_eq!(enqueued(&result_of("enqueued-download.xml")), Ok(JobId(3448)));
    // Without a <job> element only the message names it.
    assert_eq!(enqueued(&result_of("enqueued-install.xml")), Ok(JobId(3453)));
    for nothing in [
        "",
        "<job/>",
        "<job>x</job>",
        "<msg><line>no jobs here</line></msg>",
        "<msg><line>job enqueued with jobid </line></msg>",
        "<job>99999999999999</job>",
    ] {
        assert!(
            matches!(enqueued(&result(nothing)), Err(Failure::Unreadable { .. })),
            "{nothing}"
        );
    }
}

#[test]
fn jobs_of_9_1() {
    insta::assert_snapshot!(lines(&list(&result_of("jobs-all-9.1.xml")).unwrap()), @r#"
    Job { id: Some(7), kind: "Downld", status: "ACT", result: "PEND", progress: Some(99), details: [] }
    Job { id: Some(1), kind: "AutoCom", status: "FIN", result: "OK", progress: Some(100), details: ["Configuration committed successfully"] }
    "#);
}

#[test]
fn jobs_of_10_2_with_a_failed_job_a_duplicate_and_a_time_for_progress() {
    insta::assert_snapshot!(lines(&list(&result_of("jobs-all-10.2.xml")).unwrap()), @r#"
    Job { id: Some(3), kind: "WildFire", status: "FIN", result: "OK", progress: None, details: ["Configuration committed successfully", "Successfully committed last configuration"] }
    Job { id: None, kind: "Failed-Job", status: "", result: "", progress: None, details: ["Failed to commit policy to device"] }
    Job { id: Some(2), kind: "AutoCom", status: "ACT", result: "PEND", progress: Some(57), details: [] }
    Job { id: Some(1), kind: "AutoCom", status: "FIN", result: "FAIL", progress: Some(100), details: ["ID population failed", "Client logrcvr registered in the middle of a commit/validate. Aborting current commit/validate.", "Commit failed", "Failed to commit policy to device"] }
    "#);
}

#[test]
fn the_job_that_was_asked_for() {
    let reply = result_of("job-install-failed-10.1.xml");
    let job = one(&reply, JobId(3)).unwrap();
    insta::assert_snapshot!(lines(&[job]), @r#"Job { id: Some(3), kind: "SWInstall", status: "FIN", result: "FAIL", progress: Some(100), details: ["Failed to install 10.2.0 with the following errors.", "SW version is 10.2.0", "The software manager is currently in use. Please try again later.", "Failed to install version 10.2.0 type panos"] }"#);
    assert!(matches!(one(&reply, JobId(4)), Err(Failure::Unreadable { .. })));
    assert!(one(&result(""), JobId(1)).is_err());
}

#[test]
fn of_two_rows_for_a_job_the_one_that_promises_less_is_believed() {
    let row = |status: &str, outcome: &str| {
        format!("<job><id>5</id><status>{status}</status><result>{outcome}</result></job>")
    };
    for (less, more) in [
        (("ACT", "PEND"), ("FIN", "OK")),
        (("PEND", "PEND"), ("ACT", "PEND")),
        (("FIN", "FAIL"), ("FIN", "OK")),
        (("", ""), ("FIN", "OK")),
    ] {
        for rows in [[less, more], [more, less]] {
            let rows: String = rows
                .iter()
                .map(|(status, outcome)| row(status, outcome))
                .collect();
            let jobs = list(&result(&rows)).unwrap();
            assert_eq!(jobs.len(), 1);
            assert_eq!((jobs[0].status.as_str(), jobs[0].result.as_str()), less);
        }
    }
}

#[test]
fn progress_is_a_percentage_or_nothing() {
    for (text, progress) in [
        ("0", Some(0)),
        ("100", Some(100)),
        ("57%", Some(57)),
        ("101", None),
        ("12:00:09", None),
    ] {
        let jobs = list(&result(&format!(
            "<job><id>1</id><progress>{text}</progress></job>"
        )))
        .unwrap();
        assert_eq!(jobs[0].progress, progress, "{text}");
    }
}
