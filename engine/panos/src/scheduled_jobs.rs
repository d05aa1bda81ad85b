//! What a device does by itself at times that are configured, content aside: exports of logs, refreshes of lists, reports and the
//! mails with them, the test of its own software.
//! Knows where each is configured and what holds where nothing is; must not know windows, or what a job disturbs.

use hopgate_paths::{Train, Version};
use hopgate_playbooks::{ExternalList, ScheduledJob};

use crate::configuration::ReportMails;
use crate::error::Failure;
use crate::xml::{Node, printable};

/// When reports are made where nobody chose a time ("Report Runtime: default is 2 a.m.", web interface help, Device > Setup >
/// Management). Mails are sent when the last report is done.
const REPORTS_AT: &str = "02:00";

/// When a device tests its own software where nobody chose a time, by its own clock ("Configure Software Integrity Checks").
const INTEGRITY_TEST_AT: &str = "01:30";

/// The feature release from which on it does so by itself (the same page).
const TESTS_ITSELF_SINCE: Train = Train { major: 12, minor: 1 };

/// What the settings of a device say of its times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Timetable {
    exports: Vec<ScheduledJob>,
    reports_at: Option<String>,
    integrity_test_at: Option<String>,
}

/// `<deviceconfig><system><log-export-schedule>..`, `<setting><management><report-run-time>..`. What else is there, keys and
/// passwords among it, is not looked at.
pub(crate) fn timetable(result: &Node) -> Result<Timetable, Failure> {
    let settings = result
        .child("deviceconfig")
        .ok_or_else(|| Failure::unreadable("<result> has no <deviceconfig>"))?;
    let management = settings.at(&["setting", "management"]);
    let test = management.and_then(|management| {
        management.at(&["common-criteria", "self-test-schedule", "software-integrity"])
    });
    let exports = settings.at(&["system", "log-export-schedule"]);
    Ok(Timetable {
        exports: exports.map(log_exports).unwrap_or_default(),
        reports_at: management.and_then(|management| management.words("report-run-time")),
        // One time, or a list of one.
        integrity_test_at: test.and_then(|test| {
            let listed = test.child("start-time").and_then(|times| times.words("member"));
            listed.or_else(|| test.words("start-time"))
        }),
    })
}

/// `<entry name="nightly"><enable>yes</enable><start-time>03:30</start-time>..`: once a day, those that are not switched off. Of
/// one that does not say whether it is on, nothing is known of when it runs.
fn log_exports(exports: &Node) -> Vec<ScheduledJob> {
    let template = |node: &Node| node.attribute("ptpl").map(|name| printable(name, 80));
    let entries = exports.children_named("entry");
    let on = entries.filter(|entry| entry.yes("enable") != Some(false));
    let jobs = on.map(|entry| ScheduledJob {
        name: entry.attribute("name").map(|name| printable(name, 80)),
        at: entry.words("start-time"),
        template: template(entry).or_else(|| template(exports)),
        ..job("log-export", entry.yes("enable").map_or("not-told", |_| "daily"))
    });
    jobs.collect()
}

/// All jobs of a device that runs this release and has this timetable, these lists and these mails.
pub(crate) fn jobs(
    timetable: Timetable,
    lists: Vec<ExternalList>,
    mails: &ReportMails,
    version: Version,
) -> Vec<ScheduledJob> {
    let reports_at = timetable.reports_at.as_deref().unwrap_or(REPORTS_AT);
    let mut jobs = timetable.exports;
    jobs.extend(lists.into_iter().filter_map(refresh));
    jobs.push(ScheduledJob {
        at: Some(reports_at.to_owned()),
        ..job("reports", "daily")
    });
    jobs.extend(mails.iter().map(|((place, name), (every, day))| ScheduledJob {
        place: Some(place.clone()),
        name: Some(name.clone()),
        at: Some(reports_at.to_owned()),
        day: day.clone(),
        ..job("report-mail", if every == "disabled" { "none" } else { every })
    }));
    let test_at = timetable.integrity_test_at;
    let test_at =
        test_at.or_else(|| (version.train() >= TESTS_ITSELF_SINCE).then(|| INTEGRITY_TEST_AT.to_owned()));
    jobs.extend(test_at.map(|at| ScheduledJob {
        at: Some(at),
        ..job("integrity-test", "daily")
    }));
    jobs
}

fn job(kind: &str, every: &str) -> ScheduledJob {
    ScheduledJob {
        kind: kind.to_owned(),
        place: None,
        name: None,
        every: every.to_owned(),
        at: None,
        day: None,
        template: None,
    }
}

/// `<daily><at>03</at>`: lists are refreshed on the hour, at midnight where none is chosen. How often, where nothing is
/// configured, is not told alike by the vendor's pages.
fn refresh(list: ExternalList) -> Option<ScheduledJob> {
    let every = list.every?;
    let by_the_clock = matches!(every.as_str(), "daily" | "weekly" | "monthly");
    let hour = list.at.unwrap_or_else(|| "00".to_owned());
    let at = if hour.contains(':') {
        hour
    } else {
        format!("{hour}:00")
    };
    Some(ScheduledJob {
        place: Some(list.place),
        name: Some(list.name),
        at: by_the_clock.then_some(at),
        day: list.day,
        ..job("list-refresh", &every)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_tests_itself_from_12_1_on_or_when_somebody_chose_a_time() {
        let at = |version: &str, chosen: Option<&str>| {
            let timetable = Timetable {
                integrity_test_at: chosen.map(str::to_owned),
                ..Timetable::default()
            };
            let (lists, mails) = (Vec::new(), ReportMails::new());
            let jobs = jobs(timetable, lists, &mails, version.parse().unwrap());
            let mut tests = jobs.into_iter().filter(|job| job.kind == "integrity-test");
            tests.next().and_then(|job| job.at)
        };
        assert_eq!(at("11.2.10", None), None);
        assert_eq!(at("12.1.2", None).as_deref(), Some("01:30"));
        assert_eq!(at("12.1.2", Some("04:00")).as_deref(), Some("04:00"));
        assert_eq!(at("10.1.14", Some("04:00")).as_deref(), Some("04:00"));
    }
}
