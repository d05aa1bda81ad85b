//! Reads jobs: the number of one just enqueued, one by its number, and the list of all.
//! Knows the dialects of job replies; must not know what a job's end means for an upgrade.

use hopgate_playbooks::Job;

use crate::error::Failure;
use crate::operation::JobId;
use crate::xml::{Node, printable};

/// How much of one detail line is kept: a failed auto-commit can quote configuration.
const DETAIL: usize = 300;

/// The job that a download or install started: `<job>3448</job>`, or else the number in
/// `Download job enqueued with jobid 3448`.
pub(crate) fn enqueued(result: &Node) -> Result<JobId, Failure> {
    let job = result
        .value("job")
        .and_then(|text| text.parse().ok())
        .or_else(|| jobid_in_message(result));
    job.map(JobId)
        .ok_or_else(|| Failure::unreadable("accepted, but no job number in the reply"))
}

fn jobid_in_message(result: &Node) -> Option<u32> {
    let message = result.child("msg").map_or(result.text(), |msg| {
        msg.child("line").map_or(msg.text(), Node::text)
    });
    let (_, after) = message.split_once("enqueued with jobid ")?;
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// The job that was asked for; a reply about another one is not an answer.
pub(crate) fn one(result: &Node, id: JobId) -> Result<Job, Failure> {
    list(result)?
        .into_iter()
        .find(|job| job.id == Some(id.0))
        .ok_or_else(|| Failure::unreadable(format!("no job {id} in the reply")))
}

/// All jobs in the device's order, each number once. `Failed-Job` entries have neither number nor status: they are
/// kept, with an empty status, because they are the only trace of what failed.
///
/// Only an empty result is one without jobs. A result of anything else cannot be read: taken for no jobs it would say that
/// nothing runs.
pub(crate) fn list(result: &Node) -> Result<Vec<Job>, Failure> {
    if result.child("job").is_none() && (!result.text().is_empty() || !result.children.is_empty()) {
        return Err(Failure::unreadable("no jobs in a reply that is not empty"));
    }
    let mut jobs: Vec<Job> = Vec::new();
    for job in result.children_named("job").map(job) {
        let known = jobs
            .iter_mut()
            .find(|known| known.id.is_some() && known.id == job.id);
        match known {
            Some(known) if certainty(&job) < certainty(known) => *known = job,
            Some(_) => {}
            None => jobs.push(job),
        }
    }
    Ok(jobs)
}

/// Of two rows for one job, the one that promises less is believed: not finished over finished, not OK over OK.
fn certainty(job: &Job) -> (u8, bool) {
    let status = match job.status.as_str() {
        "FIN" => 3,
        "ACT" => 2,
        "PEND" => 1,
        _ => 0,
    };
    (status, job.result == "OK")
}

fn job(node: &Node) -> Job {
    let text = |name: &str| printable(node.value(name).unwrap_or_default(), 80);
    Job {
        id: node.value("id").and_then(|text| text.parse().ok()),
        kind: text("type"),
        status: text("status"),
        result: text("result"),
        // After FIN some kinds of job have a time of day here.
        progress: node
            .value("progress")
            .and_then(|text| text.trim_end_matches('%').parse().ok())
            .filter(|percent| *percent <= 100),
        details: details(node),
    }
}

fn details(job: &Node) -> Vec<String> {
    let Some(details) = job.child("details") else {
        return Vec::new();
    };
    let lines = std::iter::once(details).chain(details.children_named("line"));
    lines
        .flat_map(|line| line.text().lines())
        .map(|line| printable(line, DETAIL))
        .filter(|line| !line.is_empty())
        .collect()
}

#[cfg(test)]
mod tests;
