//! What people read of a campaign, and what is stored: every variant once.

use crate::campaign::CampaignEvent;
use crate::device::Permit;
use crate::device::tests::words::{all_are_here, spoken, stored, stored_name};
use crate::incident::{Incident, Severity};
use crate::plan::PlanHash;

fn events() -> Vec<CampaignEvent> {
    let wave = || "rest".parse().unwrap();
    let plan = || -> PlanHash { serde_json::from_value("5eed".repeat(16).into()).unwrap() };
    let device = || "fw1".parse().unwrap();
    let permit = Permit {
        id: 3,
        hop: 0,
        reboot_by: "2026-03-08T04:00:00Z".parse().unwrap(),
    };
    let incident = "hopgate/spring/fw1/hop-0/0/boot-loop";
    vec![
        CampaignEvent::Planned {
            campaign: "spring".parse().unwrap(),
            plan: plan(),
            launcher: "olga".parse().unwrap(),
            devices: 300,
        },
        CampaignEvent::Replanned {
            plan: plan(),
            launcher: "olga".parse().unwrap(),
        },
        CampaignEvent::Approved {
            wave: wave(),
            plan: plan(),
            by: "nora".parse().unwrap(),
            reason: "canary looks good".to_owned(),
        },
        CampaignEvent::WaveOpened { wave: wave() },
        CampaignEvent::WaveFinished { wave: wave() },
        CampaignEvent::GateReached { wave: wave() },
        CampaignEvent::Granted {
            device: device(),
            permit,
            because: None,
        },
        CampaignEvent::Granted {
            device: device(),
            permit,
            because: Some("it is passive and fw2 is active".to_owned()),
        },
        CampaignEvent::Returned {
            device: device(),
            permit: 3,
            done: true,
        },
        CampaignEvent::Returned {
            device: device(),
            permit: 3,
            done: false,
        },
        CampaignEvent::IncidentOpened(Box::new(Incident {
            key: incident.to_owned(),
            severity: Severity::Critical,
            device: Some(device()),
            summary: "fw1 (PA-850) on the way to 10.2.0: boot loop".to_owned(),
            next_step: "look at its console".to_owned(),
            evidence: Vec::new(),
        })),
        CampaignEvent::Halted {
            incident: incident.to_owned(),
        },
        CampaignEvent::Resumed {
            by: "nora".parse().unwrap(),
            reason: "replaced the optic".to_owned(),
        },
        CampaignEvent::Finished,
    ]
}

#[test]
fn every_event_in_words() {
    all_are_here(&events());
    assert!(events().iter().all(|event| stored_name(event) == event.name()));
    insta::assert_snapshot!(spoken(&events()), @"
    campaign spring planned by olga: 300 devices, plan 5eed5eed5eed
    planned anew by olga: plan 5eed5eed5eed; earlier approvals no longer count
    wave rest of plan 5eed5eed5eed approved by nora: canary looks good
    wave rest opened
    wave rest finished
    wave rest waits for an approval
    fw1 may do hop 1
    fw1 may do hop 1: it is passive and fw2 is active
    fw1 ended its hop
    fw1 came to rest before its hop was done
    INCIDENT hopgate/spring/fw1/hop-0/0/boot-loop: fw1 (PA-850) on the way to 10.2.0: boot loop
    HALTED by hopgate/spring/fw1/hop-0/0/boot-loop: nothing new starts
    resumed by nora: replaced the optic
    finished: every device is at its target
    ");
}

#[test]
fn every_event_as_it_is_stored() {
    insta::assert_snapshot!(stored(&events()), @r#"
    {"planned":{"campaign":"spring","plan":"5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed","launcher":"olga","devices":300}}
    {"replanned":{"plan":"5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed","launcher":"olga"}}
    {"approved":{"wave":"rest","plan":"5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed","by":"nora","reason":"canary looks good"}}
    {"wave_opened":{"wave":"rest"}}
    {"wave_finished":{"wave":"rest"}}
    {"gate_reached":{"wave":"rest"}}
    {"granted":{"device":"fw1","permit":{"id":3,"hop":0,"reboot_by":"2026-03-08T04:00:00Z"},"because":null}}
    {"granted":{"device":"fw1","permit":{"id":3,"hop":0,"reboot_by":"2026-03-08T04:00:00Z"},"because":"it is passive and fw2 is active"}}
    {"returned":{"device":"fw1","permit":3,"done":true}}
    {"returned":{"device":"fw1","permit":3,"done":false}}
    {"incident_opened":{"key":"hopgate/spring/fw1/hop-0/0/boot-loop","severity":"critical","device":"fw1","summary":"fw1 (PA-850) on the way to 10.2.0: boot loop","next_step":"look at its console","evidence":[]}}
    {"halted":{"incident":"hopgate/spring/fw1/hop-0/0/boot-loop"}}
    {"resumed":{"by":"nora","reason":"replaced the optic"}}
    "finished"
    "#);
}
