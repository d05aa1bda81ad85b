//! PagerDuty, Events API v2: one `trigger` an incident, with our key as `dedup_key`.

use futures_util::future::BoxFuture;
use hopgate_core::incident::Severity;
use serde_json::{Value, json};

use super::{Channel, ChannelError, Page};

/// Where PagerDuty takes events.
pub const EVENTS_URL: &str = "https://events.pagerduty.com/v2/enqueue";

/// Longest summary that the API takes.
const SUMMARY_MAX: usize = 1024;

/// Longest answer that is worth quoting.
const QUOTE_MAX: usize = 200;

/// Seconds that one delivery may take.
const TIMEOUT_S: u64 = 15;

/// One PagerDuty service.
pub struct PagerDuty {
    url: String,
    routing_key: String,
    http: reqwest::Client,
}

impl std::fmt::Debug for PagerDuty {
    /// Without the routing key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PagerDuty")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl PagerDuty {
    /// A channel that posts to `url` ([`EVENTS_URL`] but for tests and proxies).
    pub fn new(url: String, routing_key: String) -> Result<Self, ChannelError> {
        let http = crate::tls::client(std::time::Duration::from_secs(TIMEOUT_S)).map_err(|source| {
            ChannelError::Unreachable {
                channel: "pagerduty".to_owned(),
                source: Box::new(source),
            }
        })?;
        Ok(PagerDuty {
            url,
            routing_key,
            http,
        })
    }

    fn event(&self, page: &Page) -> Value {
        let incident = &page.incident;
        let severity = match incident.severity {
            Severity::Critical => "critical",
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let source = incident
            .device
            .as_ref()
            .map_or(page.group.as_str(), |device| device.as_str());
        json!({
            "routing_key": self.routing_key,
            "event_action": "trigger",
            "dedup_key": incident.key,
            "payload": {
                "summary": incident.summary.chars().take(SUMMARY_MAX).collect::<String>(),
                "source": source,
                "severity": severity,
                "timestamp": page.decided.to_string(),
                "component": "hopgate",
                "group": page.group,
                "class": incident.key.rsplit('/').next().unwrap_or_default(),
                "custom_details": {
                    "next_step": incident.next_step,
                    "evidence": incident.evidence,
                },
            },
        })
    }
}

impl Channel for PagerDuty {
    fn name(&self) -> &str {
        "pagerduty"
    }

    fn deliver<'a>(&'a self, page: &'a Page) -> BoxFuture<'a, Result<(), ChannelError>> {
        Box::pin(async move {
            let unreachable = |source: reqwest::Error| ChannelError::Unreachable {
                channel: "pagerduty".to_owned(),
                // The address of a proxy can hold a password.
                source: Box::new(source.without_url()),
            };
            let body = self.event(page).to_string();
            let request = self
                .http
                .post(&self.url)
                .header("content-type", "application/json")
                .body(body);
            let reply = request.send().await.map_err(unreachable)?;
            let status = reply.status();
            if status.is_success() {
                return Ok(());
            }
            let text = reply.text().await.unwrap_or_default();
            // In this order: a key that the quotation cuts short would not be found any more.
            let text = text.replace(&self.routing_key, "[redacted]");
            let text = text.chars().take(QUOTE_MAX).collect();
            Err(ChannelError::NotAccepted {
                channel: "pagerduty".to_owned(),
                status: status.as_u16(),
                text,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hopgate_core::incident::Incident;

    #[test]
    fn the_event_is_what_the_api_takes_and_debug_hides_the_key() {
        let channel =
            PagerDuty::new("http://127.0.0.1:9/v2/enqueue".to_owned(), "R0UT1NG".to_owned()).unwrap();
        let page = Page {
            group: "spring".to_owned(),
            decided: "2026-03-07T22:00:00Z".parse().unwrap(),
            incident: Incident {
                key: "hopgate/spring/fw1/hop-1/0/boot-loop".to_owned(),
                severity: Severity::Critical,
                device: Some("fw1".parse().unwrap()),
                summary: "fw1 (PA-850) on the way to 10.2.0: boot loop".to_owned(),
                next_step: "do not power-cycle it".to_owned(),
                evidence: vec!["boot 1".to_owned()],
            },
        };
        insta::assert_snapshot!(serde_json::to_string_pretty(&channel.event(&page)).unwrap(), @r#"
{
  "dedup_key": "hopgate/spring/fw1/hop-1/0/boot-loop",
  "event_action": "trigger",
  "payload": {
    "class": "boot-loop",
    "component": "hopgate",
    "custom_details": {
      "evidence": [
        "boot 1"
      ],
      "next_step": "do not power-cycle it"
    },
    "group": "spring",
    "severity": "critical",
    "source": "fw1",
    "summary": "fw1 (PA-850) on the way to 10.2.0: boot loop",
    "timestamp": "2026-03-07T22:00:00Z"
  },
  "routing_key": "R0UT1NG"
}
"#);
        assert!(!format!("{channel:?}").contains("R0UT1NG"));
    }
}
