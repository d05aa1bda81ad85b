//! The findings a comparison makes, and how it is stored.

use super::*;
use crate::finding::{Finding, Gate, Verdict};

fn said(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let verdict = match &finding.verdict {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Inconclusive { .. } => "inconclusive",
            Verdict::Error { .. } | Verdict::Waived { .. } => "other",
        };
        let subject = finding.subject.as_deref().unwrap_or("-");
        let _ = writeln!(
            text,
            "{:?} {verdict} {} [{subject}] {}",
            finding.severity, finding.check, finding.message
        );
    }
    text
}

/// The findings about these areas.
fn about(difference: &Difference, checks: &[&str]) -> Vec<Finding> {
    let mut findings = difference.findings();
    findings.retain(|finding| checks.contains(&&*finding.check));
    findings
}

#[test]
fn every_area_has_a_failure_an_open_question_or_a_pass() {
    let before = facts(|facts| {
        facts.routes = routes(100);
        facts.bgp_peers = Fact::Known(vec![peer("10.1.1.2", "Established")]);
        facts.ipsec_tunnels = Fact::Known(vec![tunnel("branch-7", "init")]);
        facts.fib = Fact::Known(vec![entry("default", "10.0.0.0/8")]);
        facts.arp = Fact::Known(Vec::new());
    });
    let after = facts(|facts| {
        facts.routes = routes(40);
        facts.bgp_peers = Fact::Known(vec![peer("10.1.1.2", "Idle")]);
        facts.ipsec_tunnels = Fact::Known(vec![tunnel("branch-7", "active")]);
        facts.fib = Fact::Unknown("no answer".to_owned());
        facts.arp = Fact::Unknown("no answer".to_owned());
    });
    let difference = compared(&before, &after, None);
    let checks = [
        "routes",
        "bgp-peers",
        "bgp-peers-prefixes",
        "ipsec-tunnels",
        "fib",
        "arp",
        "ntp",
    ];
    let findings = about(&difference, &checks);
    insta::assert_snapshot!(said(&findings), @r"
    Block fail routes [Routes] Routes: 100 -> 40 (-60 %), more than 50 % or 20 % and 100
    Warn fail routes [-] route 10.0.40.0/24 of default to 192.0.2.1 through ethernet1/1: gone; route 10.0.41.0/24 of default to 192.0.2.1 through ethernet1/1: gone; route 10.0.42.0/24 of default to 192.0.2.1 through ethernet1/1: gone; route 10.0.43.0/24 of default to 192.0.2.1 through ethernet1/1: gone; route 10.0.44.0/24 of default to 192.0.2.1 through ethernet1/1: gone; and 55 more
    Block inconclusive fib [-] Forwarding entries cannot be compared: after: no answer
    Block fail bgp-peers [BGP peer 10.1.1.2 of default] BGP peer 10.1.1.2 of default: Established -> Idle
    Info pass bgp-peers-prefixes [-] BGP prefixes as before
    Warn inconclusive arp [-] Neighbours cannot be compared: after: no answer
    Info pass ipsec-tunnels [-] IPsec tunnels as before; harmless: 1
    Info inconclusive ntp [-] Time synchronisation cannot be compared: before and after: not asked
    ");
    let Gate::Held { reasons } = Gate::of(&findings) else {
        panic!("open")
    };
    assert_eq!(
        reasons.iter().map(|reason| &*reason.check).collect::<Vec<_>>(),
        ["routes", "fib", "bgp-peers"]
    );
    // No area is without a word.
    let words: BTreeSet<_> = difference
        .findings()
        .into_iter()
        .map(|finding| finding.check)
        .collect();
    assert_eq!(words.len(), Rules::builtin().areas.len());
    assert!(
        words
            .iter()
            .all(|word| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'))
    );
}

#[test]
fn nothing_compared_is_not_nothing_changed() {
    let snapshot = Snapshot::of(&facts(|_| {}));
    let difference = compare(&snapshot, &snapshot, &Rules::default(), None);
    insta::assert_snapshot!(said(&difference.findings()), @"Block inconclusive rules [-] cannot tell: the rules name nothing to compare");
    assert_ne!(Gate::of(&difference.findings()), Gate::Open);
}

#[test]
fn is_stored_as_the_page_tells() {
    let before = facts(|facts| facts.bgp_peers = Fact::Known(vec![peer("10.1.1.2", "Established")]));
    let after = facts(|facts| facts.bgp_peers = Fact::Known(vec![peer("10.1.1.2", "Idle")]));
    let mut difference = compared(&before, &after, None);
    difference
        .areas
        .retain(|area| ["bgp_peers", "fib"].contains(&area.area.as_str()));
    let stored = serde_json::to_string_pretty(&difference).unwrap();
    insta::assert_snapshot!(stored, @r#"
    {
      "device": "fw1",
      "before": "1970-01-01T00:00:00Z",
      "after": "1970-01-01T00:00:00Z",
      "areas": [
        {
          "area": "fib",
          "title": "Forwarding entries",
          "key": [
            "dataplane",
            "router",
            "family",
            "destination",
            "interface",
            "next_hop"
          ],
          "compared": {
            "unknown": {
              "before": "not asked",
              "after": "not asked",
              "severity": "info"
            }
          },
          "changes": [],
          "left_out": [],
          "remedy": null
        },
        {
          "area": "bgp_peers",
          "title": "BGP peers",
          "key": [
            "virtual_router",
            "group",
            "peer"
          ],
          "compared": {
            "things": {
              "before": 1,
              "after": 1
            }
          },
          "changes": [
            {
              "thing": "BGP peer 10.1.1.2 of default",
              "key": [
                "default",
                "transit",
                "10.1.1.2"
              ],
              "number": null,
              "happened": {
                "changed": {
                  "field": "status",
                  "before": "Established",
                  "after": "Idle"
                }
              },
              "grade": "stop",
              "expected": null,
              "sentence": "BGP peer 10.1.1.2 of default: Established -> Idle"
            }
          ],
          "left_out": [],
          "remedy": "Look at `show routing protocol bgp peer`, and at the route to the peer."
        }
      ]
    }
    "#);
    assert_eq!(serde_json::from_str::<Difference>(&stored).unwrap(), difference);
}
