//! Asks a log of the device, which takes several requests: a job is enqueued, and looked at until it is over.
//! Knows how a log is queried; must not know what an entry says.

use std::time::Duration;

use crate::client::{Call, Client, Received};
use crate::error::{CallError, Failure};
use crate::jobs;
use crate::operation::JobId;
use crate::xml::Node;

/// What passes before each look at the job, 40 s and what the looks themselves take. Queries take a device a second or two,
/// so the first looks come early. A busy device is asked every eight seconds, not twice a second as pan-python does
/// (`xapi.py`, `log`).
const PAUSES: [Duration; 11] = {
    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }
    [
        ms(250),
        ms(500),
        ms(500),
        ms(500),
        ms(1000),
        ms(2000),
        ms(4000),
        ms(8000),
        ms(8000),
        ms(8000),
        ms(8000),
    ]
};

impl Client {
    /// The reply that holds the `newest` entries of the system log that `filter` leaves (PAN-OS XML API guide, "Retrieve
    /// Logs"): `type=log` enqueues a job, `action=get` shows it and, once it is `FIN`, what it found. The job is one of the
    /// query's own, and no job of `show jobs all`. One that is given up is left to the device: of how it is ended there is no
    /// account that could be cited, and an audit a night leaves one.
    pub(crate) async fn system_log(
        &self,
        call: &Call<'_>,
        filter: &str,
        newest: u16,
    ) -> Result<Received, CallError> {
        let newest = newest.to_string();
        let form = [
            ("type", "log"),
            ("log-type", "system"),
            ("nlogs", newest.as_str()),
            ("dir", "backward"),
            ("query", filter),
        ];
        let reply = call.send(&form).await?;
        let job = call.understand(&reply, jobs::enqueued)?;
        let number = job.to_string();
        let form = [("type", "log"), ("action", "get"), ("job-id", number.as_str())];
        for pause in PAUSES {
            self.pause(pause).await;
            let reply = call.send(&form).await?;
            if call.understand(&reply, |result| is_over(result, job))? {
                return Ok(reply);
            }
        }
        Err(call.failed(Failure::Silent {
            detail: format!("the query of the log was not over after {} looks", PAUSES.len()),
        }))
    }
}

/// Whether the job is over: `<job><status>FIN</status><id>18</id>..`. A reply about another job is not an answer.
fn is_over(result: &Node, asked: JobId) -> Result<bool, Failure> {
    let job = result
        .child("job")
        .ok_or_else(|| Failure::unreadable("the reply about the query of a log names no job"))?;
    if job.number("id") != Some(u64::from(asked.0)) {
        return Err(Failure::unreadable(format!("no job {asked} in the reply")));
    }
    Ok(job.required("status")? == "FIN")
}

#[cfg(test)]
mod tests;
