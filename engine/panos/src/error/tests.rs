//! The tables of the error classes, printed.

use super::*;

fn every_failure() -> Vec<Failure> {
    let text = || "text".to_owned();
    let busy = |cause| Failure::Busy { cause, text: text() };
    vec![
        Failure::Unreachable { detail: text() },
        Failure::NotConnected { text: text() },
        Failure::Silent { detail: text() },
        Failure::Broken { detail: text() },
        Failure::Garbled { found: text() },
        Failure::Unreadable { what: text() },
        busy(BusyCause::InProgress),
        busy(BusyCause::HttpStatus(503)),
        busy(BusyCause::InternalError(Some(5))),
        busy(BusyCause::InternalError(None)),
        busy(BusyCause::SessionTimedOut),
        Failure::Untrusted {
            expected: "A".into(),
            found: "B".into(),
        },
        Failure::Unauthorised { text: text() },
        Failure::NoRights { text: text() },
        Failure::Rejected {
            code: Some(17),
            text: text(),
        },
        Failure::Rejected {
            code: None,
            text: text(),
        },
    ]
}

#[test]
fn classes_of_reads_and_of_changes() {
    let class = |operation, failure: &Failure| {
        let error = CallError {
            operation,
            device: "acme-fw1".into(),
            failure: failure.clone(),
        };
        format!("{:?}", error.class())
    };
    let table: Vec<String> = every_failure()
        .iter()
        .map(|failure| {
            let read = class(Operation::Jobs, failure);
            let change = class(Operation::Restart, failure);
            format!("{read:9} | {change:13} | {failure}")
        })
        .collect();
    insta::assert_snapshot!(table.join("\n"), @r"
    Retryable | Retryable     | no connection, nothing was sent: text
    Retryable | Retryable     | Panorama has no connection to the device: text
    Retryable | Indeterminate | no complete reply in time: text
    Retryable | Indeterminate | the connection broke before the reply was complete: text
    Retryable | Indeterminate | the reply is not a PAN-OS reply: text
    Retryable | Indeterminate | the reply cannot be understood: text
    Retryable | Retryable     | the device is busy: text
    Retryable | Indeterminate | the management server is not serving (HTTP 503): text
    Retryable | Indeterminate | the device reports an internal error (code 5): text
    Retryable | Indeterminate | the device reports an internal error: text
    Retryable | Indeterminate | the session timed out on the device: text
    Refused   | Refused       | the certificate is not trusted, nothing was sent: expected A, found B
    Refused   | Refused       | the login or key was not accepted: text
    Refused   | Refused       | the administrator's role does not allow it (code 16): text
    Refused   | Refused       | the device refused (code 17): text
    Refused   | Refused       | the device refused: text
    ");
}

#[test]
fn every_operation_is_printed_and_either_changes_the_device_or_does_not() {
    let version = "10.2.0".parse().unwrap();
    let table: Vec<String> = [
        Operation::Login,
        Operation::SystemInfo,
        Operation::SoftwareInfo,
        Operation::SoftwareCheck,
        Operation::Download(version),
        Operation::Install(version),
        Operation::Job(crate::JobId(7)),
        Operation::Jobs,
        Operation::Restart,
        Operation::HaState,
        Operation::Suspend,
        Operation::Functional,
        Operation::ChassisReady,
        Operation::SoftwareManager,
        Operation::DiskSpace,
        Operation::PendingChanges,
        Operation::ConfigLocks,
        Operation::CommitLocks,
        Operation::Optics,
        Operation::ExportConfiguration,
    ]
    .into_iter()
    .map(|operation| {
        let kind = if operation.is_changing() {
            "changes"
        } else {
            "reads"
        };
        let error = CallError {
            operation,
            device: "acme-fw1".into(),
            failure: Failure::Silent {
                detail: "operation timed out".into(),
            },
        };
        format!("{kind:7} {error}")
    })
    .collect();
    insta::assert_snapshot!(table.join("\n"), @r"
    reads   log in on acme-fw1: no complete reply in time: operation timed out
    reads   read system information on acme-fw1: no complete reply in time: operation timed out
    reads   read the software list on acme-fw1: no complete reply in time: operation timed out
    reads   refresh the software list on acme-fw1: no complete reply in time: operation timed out
    changes download 10.2.0 on acme-fw1: no complete reply in time: operation timed out
    changes install 10.2.0 on acme-fw1: no complete reply in time: operation timed out
    reads   read job 7 on acme-fw1: no complete reply in time: operation timed out
    reads   read all jobs on acme-fw1: no complete reply in time: operation timed out
    changes restart on acme-fw1: no complete reply in time: operation timed out
    reads   read the high-availability state on acme-fw1: no complete reply in time: operation timed out
    changes suspend high availability on acme-fw1: no complete reply in time: operation timed out
    changes make high availability functional on acme-fw1: no complete reply in time: operation timed out
    reads   read chassis readiness on acme-fw1: no complete reply in time: operation timed out
    reads   read the software manager's partitions on acme-fw1: no complete reply in time: operation timed out
    reads   read disk space on acme-fw1: no complete reply in time: operation timed out
    reads   check for pending changes on acme-fw1: no complete reply in time: operation timed out
    reads   read configuration locks on acme-fw1: no complete reply in time: operation timed out
    reads   read commit locks on acme-fw1: no complete reply in time: operation timed out
    reads   read the optics on acme-fw1: no complete reply in time: operation timed out
    reads   export the configuration on acme-fw1: no complete reply in time: operation timed out
    ");
}

#[test]
fn every_code_of_the_vendor_has_its_failure() {
    let table: Vec<String> = (1..=22)
        .chain([400, 403, 999])
        .map(|code| {
            if Failure::is_success_code(Some(code)) {
                return format!("{code}: success");
            }
            format!("{code}: {:?}", Failure::of_reply(Some(code), "text"))
        })
        .collect();
    insta::assert_snapshot!(table.join("\n"), @r#"
    1: Rejected { code: Some(1), text: "text" }
    2: Busy { cause: InternalError(Some(2)), text: "text" }
    3: Busy { cause: InternalError(Some(3)), text: "text" }
    4: Busy { cause: InternalError(Some(4)), text: "text" }
    5: Busy { cause: InternalError(Some(5)), text: "text" }
    6: Rejected { code: Some(6), text: "text" }
    7: Rejected { code: Some(7), text: "text" }
    8: Rejected { code: Some(8), text: "text" }
    9: Rejected { code: Some(9), text: "text" }
    10: Rejected { code: Some(10), text: "text" }
    11: Busy { cause: InternalError(Some(11)), text: "text" }
    12: Rejected { code: Some(12), text: "text" }
    13: Rejected { code: Some(13), text: "text" }
    14: Rejected { code: Some(14), text: "text" }
    15: Rejected { code: Some(15), text: "text" }
    16: NoRights { text: "text" }
    17: Rejected { code: Some(17), text: "text" }
    18: Rejected { code: Some(18), text: "text" }
    19: success
    20: success
    21: Busy { cause: InternalError(Some(21)), text: "text" }
    22: Busy { cause: SessionTimedOut, text: "text" }
    400: Rejected { code: Some(400), text: "text" }
    403: Unauthorised { text: "text" }
    999: Rejected { code: Some(999), text: "text" }
    "#);
}

#[test]
fn texts_tell_where_a_code_does_not() {
    let table: Vec<String> = [
        "Another commit/validate is in progress. Please try again later",
        "A commit is in progress.",
        "You cannot commit while an install is in progress. Please try again later.",
        "The software manager is currently in use. Please try again later.",
        "Another sync is in progress. Please try again later",
        "012801000001 not connected",
        "Transport endpoint is not connected",
        "Session timed out",
        "Invalid Credential",
        "Configuration is locked by admin",
        "Peer version too old",
        "No such node",
        "the peer is not connected",
    ]
    .into_iter()
    .map(|text| format!("{:?}", Failure::of_reply(None, text)))
    .collect();
    insta::assert_snapshot!(table.join("\n"), @r#"
    Busy { cause: InProgress, text: "Another commit/validate is in progress. Please try again later" }
    Busy { cause: InProgress, text: "A commit is in progress." }
    Busy { cause: InProgress, text: "You cannot commit while an install is in progress. Please try again later." }
    Busy { cause: InProgress, text: "The software manager is currently in use. Please try again later." }
    Busy { cause: InProgress, text: "Another sync is in progress. Please try again later" }
    NotConnected { text: "012801000001 not connected" }
    Busy { cause: InternalError(None), text: "Transport endpoint is not connected" }
    Busy { cause: SessionTimedOut, text: "Session timed out" }
    Unauthorised { text: "Invalid Credential" }
    Rejected { code: None, text: "Configuration is locked by admin" }
    Rejected { code: None, text: "Peer version too old" }
    Rejected { code: None, text: "No such node" }
    Rejected { code: None, text: "the peer is not connected" }
    "#);
}

#[test]
fn http_statuses_decide_before_bodies() {
    for status in [401, 403] {
        let failure = Failure::of_http_status(status, "text").unwrap();
        assert!(matches!(failure, Failure::Unauthorised { .. }), "{failure}");
    }
    for status in [500, 502, 503, 504, 599] {
        let failure = Failure::of_http_status(status, "text").unwrap();
        let cause = BusyCause::HttpStatus(status);
        assert!(
            matches!(failure, Failure::Busy { cause: found, .. } if found == cause),
            "{failure}"
        );
    }
    for status in [200, 204, 302, 400, 404, 407, 600] {
        assert_eq!(Failure::of_http_status(status, "text"), None, "{status}");
    }
}

#[test]
fn an_unknown_command_is_told_from_a_refusal() {
    for (code, unknown) in [
        (Some(1), true),
        (Some(17), true),
        (Some(14), false),
        (None, false),
    ] {
        let error = CallError {
            operation: Operation::ChassisReady,
            device: "acme-fw1".into(),
            failure: Failure::Rejected {
                code,
                text: String::new(),
            },
        };
        assert_eq!(error.is_unknown_command(), unknown, "{code:?}");
    }
}
