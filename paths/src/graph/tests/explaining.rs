//! Why not: explanations and the edges of a picture.

use super::device::Device;
use super::*;

fn shown(explanation: &Explanation) -> String {
    let mut lines: Vec<_> = explanation
        .direct
        .iter()
        .map(|rule| format!("direct: {}: {} [{}]", rule.rule, rule.text, rule.source))
        .collect();
    lines.extend(
        explanation
            .refusal
            .iter()
            .map(|refusal| format!("refused: {refusal}")),
    );
    lines.extend(explanation.refused.iter().map(|edge| {
        let rules: Vec<_> = edge.refused.iter().map(|rule| rule.rule.as_str()).collect();
        format!("edge: {} -> {}: {}", edge.from, edge.to, rules.join(", "))
    }));
    lines.extend(explanation.instead.iter().map(|text| format!("instead: {text}")));
    lines.join("\n")
}

#[test]
fn a_model_that_does_not_run_the_target_and_a_table_that_does_not_reach_it_are_both_named() {
    let request = Request::new(version("10.1.14"), version("12.1.2"));
    insta::assert_snapshot!(shown(&graph("PA-3220").explain(&request)), @r#"
    direct: model-cannot-run: PA-3220 does not run 12.1.2: it runs 8.1, 9.0, 9.1, 10.0, 10.1, 10.2, 11.0, 11.1 [From memory: the vendor's matrix no longer lists releases before 10.1; Compatibility matrix, Supported OS Releases by Model (2026-07-30)]
    direct: feature-release-out-of-reach: 10.1.14 to 12.1.2 goes further than the vendor's table: 10.1 may be upgraded directly up to 11.1 [PAN-OS 11.1 upgrade guide, Determine the Upgrade Path (2026-07-30)]
    direct: ha-peers-too-far-apart: between 10.1.14 and 12.1.2 HA peers are 5 feature releases apart; from two on, the peer on the older release suspends itself ("Peer version too old") [PAN-OS 11.1 upgrade guide, Upgrade an HA Firewall Pair (2026-07-30)]
    refused: PA-3220 does not run 12.1.2: it runs 8.1, 9.0, 9.1, 10.0, 10.1, 10.2, 11.0, 11.1 (source: From memory: the vendor's matrix no longer lists releases before 10.1; Compatibility matrix, Supported OS Releases by Model (2026-07-30))
    instead: PA-3220 gets as far as 11.1.11, in 1 hop.
    "#);
}

#[test]
fn a_jump_too_far_is_explained_with_the_way_there_is() {
    let request = Request::new(version("10.1.14"), version("12.1.5"));
    insta::assert_snapshot!(shown(&graph("PA-440").explain(&request)), @r#"
    direct: feature-release-out-of-reach: 10.1.14 to 12.1.5 goes further than the vendor's table: 10.1 may be upgraded directly up to 11.1 [PAN-OS 11.1 upgrade guide, Determine the Upgrade Path (2026-07-30)]
    direct: ha-peers-too-far-apart: between 10.1.14 and 12.1.5 HA peers are 5 feature releases apart; from two on, the peer on the older release suspends itself ("Peer version too old") [PAN-OS 11.1 upgrade guide, Upgrade an HA Firewall Pair (2026-07-30)]
    edge: 10.1.14 -> 11.2.8: feature-release-out-of-reach, ha-peers-too-far-apart
    edge: 10.1.14 -> 12.1.5: feature-release-out-of-reach, ha-peers-too-far-apart
    edge: 10.1.14-h9 -> 11.2.8: feature-release-out-of-reach, ha-peers-too-far-apart
    edge: 10.1.14-h9 -> 12.1.5: feature-release-out-of-reach, ha-peers-too-far-apart
    edge: 10.2.18-h5 -> 12.1.5: feature-release-out-of-reach, ha-peers-too-far-apart
    instead: Go 10.1.14 -> 11.1.11 -> 12.1.5.
    "#);
    let allowed = Request::new(version("10.1.14"), version("11.1.11"));
    insta::assert_snapshot!(shown(&graph("PA-440").explain(&allowed)), @"instead: One hop does it.");
}

#[test]
fn what_the_device_is_exposed_to_is_explained_with_what_to_do() {
    let device = Device::plain().module(5, "unknown-vendor", Some("SFP-1G-LX"));
    let request = Request {
        view: Some(&device),
        ..Request::new(version("10.1.14"), version("10.2.4-h4"))
    };
    insta::assert_snapshot!(shown(&graph("PA-850").explain(&request)), @r"
    direct: advisory-blocks: PAN-221190 at 10.2.4-h4: The firewall reboots again and again (I2C errors). Take the modules out or replace them before the hop, or choose a release with the fix. [PAN-OS 10.1.11-h1, 10.2.7 and 11.0.4 release notes, addressed issues]
    refused: every way from 10.1.14 to 10.2.4-h4 is blocked: PAN-221190 at 10.2.4-h4 (ethernet1/5 holds SFP-1G-LX (unknown-vendor)): The firewall reboots again and again (I2C errors). Take the modules out or replace them before the hop, or choose a release with the fix.
    edge: 10.1.14 -> 10.2.4-h4: advisory-blocks
    edge: 10.1.14-h9 -> 10.2.4-h4: advisory-blocks
    instead: PAN-221190: Take the modules out or replace them before the hop, or choose a release with the fix.
    ");
}

#[test]
fn what_cannot_be_asked_is_explained_too() {
    let said = |request: &Request<'_>| shown(&graph("PA-850").explain(request));
    insta::assert_snapshot!(said(&Request::new(version("10.2.7"), version("10.1.14"))), @r"
    refused: from 10.2.7 to 10.1.14 is a downgrade, which has to be asked for; the quicker way back from a hop is the other partition
    instead: Allow the downgrade by name, or revert to the other partition.
    ");
    insta::assert_snapshot!(said(&Request::new(version("10.2.7"), version("10.3.1"))), @r"
    direct: model-cannot-run: there is no feature release 10.3 (known: 8.1, 9.0, 9.1, 10.0, 10.1, 10.2, 11.0, 11.1, 11.2, 12.1, 12.2) [the release catalogue, [[train]] rows]
    refused: there is no feature release 10.3 (known: 8.1, 9.0, 9.1, 10.0, 10.1, 10.2, 11.0, 11.1, 11.2, 12.1, 12.2)
    instead: PA-850 gets as far as 10.2.18-h5, in 1 hop.
    ");
    let list = [Offered {
        version: version("10.2.8"),
        release_type: None,
        downloaded: false,
        size_mb: None,
    }];
    let offered = Request {
        offered: Some(&list),
        ..Request::new(version("10.1.14"), version("10.2.7"))
    };
    insta::assert_snapshot!(said(&offered), @r"
    direct: not-offered: the device does not offer 10.2.7 [the device's software list]
    refused: the device does not offer 10.2.7 (it offers of 10.2: 10.2.8)
    instead: The newest it offers of that feature release is 10.2.8.
    ");
}

#[test]
fn every_allowed_edge_has_its_revert_and_every_refused_one_its_rule() {
    let request = Request::new(version("9.1.16"), version("11.1.11"));
    let edges = graph("PA-850").edges(&request).unwrap();
    let line = |edge: &Edge| {
        let rules: Vec<_> = edge.refused.iter().map(|rule| rule.rule.as_str()).collect();
        format!(
            "{} -> {} {:?} {}",
            edge.from,
            edge.to,
            edge.kind,
            rules.join(", ")
        )
    };
    insta::assert_snapshot!(edges.iter().map(line).collect::<Vec<_>>().join("\n"), @r"
    9.1.16 -> 9.1.19 Maintenance 
    9.1.16 -> 10.0.12-h5 Feature left-before-preferred-release
    9.1.16 -> 10.1.14-h9 Feature feature-release-skipped, left-before-preferred-release, ha-peers-too-far-apart
    9.1.16 -> 10.2.18-h5 Feature feature-release-skipped, left-before-preferred-release, ha-peers-too-far-apart
    9.1.16 -> 11.0.5 Feature feature-release-skipped, left-before-preferred-release, ha-peers-too-far-apart
    9.1.16 -> 11.1.11 Feature feature-release-skipped, left-before-preferred-release, ha-peers-too-far-apart
    9.1.19 -> 9.1.16 Revert 
    9.1.19 -> 10.0.12-h5 Feature 
    9.1.19 -> 10.1.14-h9 Feature feature-release-skipped, ha-peers-too-far-apart
    9.1.19 -> 10.2.18-h5 Feature feature-release-skipped, ha-peers-too-far-apart
    9.1.19 -> 11.0.5 Feature feature-release-skipped, ha-peers-too-far-apart
    9.1.19 -> 11.1.11 Feature feature-release-skipped, ha-peers-too-far-apart
    10.0.12-h5 -> 9.1.19 Revert 
    10.0.12-h5 -> 10.1.14-h9 Feature 
    10.0.12-h5 -> 10.2.18-h5 Feature feature-release-skipped, ha-peers-too-far-apart
    10.0.12-h5 -> 11.0.5 Feature feature-release-skipped, ha-peers-too-far-apart
    10.0.12-h5 -> 11.1.11 Feature feature-release-skipped, ha-peers-too-far-apart
    10.1.14-h9 -> 10.0.12-h5 Revert 
    10.1.14-h9 -> 10.2.18-h5 Feature 
    10.1.14-h9 -> 11.0.5 Feature 
    10.1.14-h9 -> 11.1.11 Feature 
    10.2.18-h5 -> 10.1.14-h9 Revert 
    10.2.18-h5 -> 11.0.5 Feature 
    10.2.18-h5 -> 11.1.11 Feature 
    11.0.5 -> 10.1.14-h9 Revert 
    11.0.5 -> 10.2.18-h5 Revert 
    11.0.5 -> 11.1.11 Feature 
    11.1.11 -> 10.1.14-h9 Revert 
    11.1.11 -> 10.2.18-h5 Revert 
    11.1.11 -> 11.0.5 Revert
    ");
    for edge in &edges {
        assert_eq!(edge.cost.is_some(), edge.refused.is_empty());
        let back =
            |other: &&Edge| other.kind == HopKind::Revert && (other.from, other.to) == (edge.to, edge.from);
        if edge.kind != HopKind::Revert {
            assert_eq!(
                edges.iter().filter(back).count(),
                usize::from(edge.cost.is_some())
            );
        }
    }
}
