//! Reads the schedules by which content is fetched, from `update-schedule` of the configuration.
//! Knows this part of the configuration; must not know windows or what a schedule disturbs.

use hopgate_playbooks::UpdateSchedule;

use crate::error::Failure;
use crate::xml::{Node, printable};

/// What stands beside the kind of recurrence and is none.
const NOT_RECURRENCES: &[&str] = &["threshold", "new-app-threshold", "sync-to-peer"];

/// `<update-schedule><threats><recurring><daily><at>01:02</at>..`; an empty result where nothing is scheduled. A
/// schedule that Panorama pushed is marked (`ptpl="T" src="tpl"`).
pub(crate) fn schedules(result: &Node) -> Result<Vec<UpdateSchedule>, Failure> {
    let Some(schedules) = result.child("update-schedule") else {
        return match result.children.is_empty() {
            true => Ok(Vec::new()),
            false => Err(Failure::unreadable("<result> has no <update-schedule>")),
        };
    };
    let pushed = |node: &Node| node.attribute("ptpl").map(|name| printable(name, 80));
    let scheduled = schedules.children.iter().filter_map(|content| {
        // What has no recurrence is no content: the statistics service is kept in the same place.
        let recurring = content.child("recurring")?;
        let recurrence = recurring
            .children
            .iter()
            .find(|child| !NOT_RECURRENCES.contains(&child.name.as_str()));
        let value = |name: &str| recurrence.and_then(|recurrence| recurrence.words(name));
        Some(UpdateSchedule {
            content: printable(&content.name, 80),
            every: recurrence.map_or_else(|| "none".to_owned(), |recurrence| printable(&recurrence.name, 40)),
            at: value("at"),
            day: value("day-of-week"),
            action: value("action"),
            template: [recurrence, Some(recurring), Some(content), Some(schedules)]
                .into_iter()
                .flatten()
                .find_map(pushed),
        })
    });
    Ok(scheduled.collect())
}
