//! Every word of the vocabulary is answered; what proves nothing answers nothing.

use std::collections::BTreeSet;

use hopgate_paths::vocabulary;
use hopgate_playbooks::PanoramaServer;
use jiff::Timestamp;

use super::*;
use crate::configuration;
use crate::scripted::{result_of, result_text};
use crate::xml::Raw;
use crate::{ha, system};

fn nothing() -> Evidence {
    Evidence {
        system: unknown("silent"),
        identity: unknown("silent"),
        plugin_versions: unknown("silent"),
        ha: unknown("silent"),
        disks: unknown("silent"),
        memory: unknown("silent"),
        configuration: unknown("silent"),
        certificates: unknown("silent"),
        used_suspects: unknown("silent"),
        panorama: unknown("silent"),
        plugins: unknown("silent"),
        default_master_key: unknown("silent"),
        chassis: unknown("silent"),
        reserved_space: unknown("silent"),
    }
}

fn found(inner: &str) -> Found {
    let body = format!("<config version='10.2.0'>{inner}</config>");
    let reply = Raw {
        status: 200,
        content_type: None,
        body: body.as_bytes(),
    };
    configuration::read(reply).unwrap()
}

/// A device with this configuration, managed by as many Panoramas.
fn configured(inner: &str, panoramas: usize) -> Evidence {
    let found = found(inner);
    let server = PanoramaServer {
        address: "192.0.2.5".to_owned(),
        connected: true,
        ha_state: None,
    };
    Evidence {
        certificates: Fact::Known(found.certificates(Timestamp::UNIX_EPOCH)),
        used_suspects: Fact::Known(BTreeSet::new()),
        configuration: Fact::Known(found),
        panorama: Fact::Known(PanoramaLink {
            servers: vec![server; panoramas],
        }),
        ..nothing()
    }
}

fn on_device(system: &str) -> Evidence {
    let result = result_of(system);
    Evidence {
        system: Fact::Known(system::info(&result).unwrap()),
        identity: Fact::Known(system::identity(&result).unwrap()),
        plugin_versions: Fact::Known(system::plugin_versions(&result)),
        ..nothing()
    }
}

#[test]
fn every_word_of_the_vocabulary_is_answered_and_no_other() {
    let names = |words: &[vocabulary::Word]| {
        words
            .iter()
            .map(|word| word.name.to_owned())
            .collect::<BTreeSet<_>>()
    };
    for evidence in [nothing(), configured("<shared/>", 0)] {
        let features = features(&evidence);
        assert_eq!(
            features.flags.keys().cloned().collect::<BTreeSet<_>>(),
            names(vocabulary::FLAGS)
        );
        assert_eq!(
            features.numbers.keys().cloned().collect::<BTreeSet<_>>(),
            names(vocabulary::NUMBERS)
        );
    }
}

#[test]
fn a_gap_in_the_ids_of_virtual_systems_is_seen() {
    let vsys = |names: &[&str]| {
        let entries: String = names
            .iter()
            .map(|name| format!("<entry name=\"{name}\"><zone/></entry>"))
            .collect();
        let text = format!(
            "<devices><entry name=\"localhost.localdomain\"><vsys>{entries}</vsys></entry></devices>"
        );
        features(&configured(&text, 0)).flags["vsys-id-gap"].clone()
    };
    assert_eq!(vsys(&["vsys1"]), Fact::Known(false));
    assert_eq!(vsys(&["vsys2", "vsys1"]), Fact::Known(false));
    assert_eq!(vsys(&["vsys1", "vsys3"]), Fact::Known(true));
    assert_eq!(vsys(&["vsys2"]), Fact::Known(true));
    assert!(vsys(&[]).known().is_none());
    assert!(vsys(&["vsys1", "mine"]).known().is_none());
}

#[test]
fn of_nothing_everything_is_unknown() {
    let features = features(&nothing());
    assert!(features.flags.values().all(|flag| flag.known().is_none()));
    assert!(features.numbers.values().all(|number| number.known().is_none()));
}

#[test]
fn what_panorama_may_have_pushed_is_not_proved_by_its_absence() {
    let flags = |evidence: &Evidence| features(evidence).flags;
    let own = flags(&configured("<shared/>", 0));
    assert_eq!(own["ospf"], Fact::Known(false));
    assert_eq!(own["nat"], Fact::Known(false));
    assert_eq!(own["policy-application-usage"], Fact::Known(true));
    let managed = flags(&configured("<shared/>", 1));
    insta::assert_snapshot!(managed["ospf"].unknown().unwrap(), @"not in the device's own configuration, and what a Panorama template pushes may not be in it");
    insta::assert_snapshot!(managed["nat"].unknown().unwrap(), @"not in the device's own configuration, and what a Panorama device group pushes is not in it");
    assert!(managed["policy-application-usage"].known().is_none());
    // What a template pushed is in this one, marked: so what is not there was not pushed. Rules never are.
    let merged = flags(&configured(
        "<devices><entry name='x'><deviceconfig src=\"tpl\"/></entry></devices>",
        1,
    ));
    assert_eq!(merged["ospf"], Fact::Known(false));
    assert!(merged["nat"].known().is_none());
    // Without an answer about Panorama nothing is proved either.
    let unsure = Evidence {
        panorama: unknown("silent"),
        ..configured("<shared/>", 0)
    };
    assert!(flags(&unsure)["ospf"].known().is_none());
    // What is there is there.
    let rules = "<devices><entry name='x'><vsys><entry name='vsys1'><rulebase><nat><rules><entry name='n'/></rules></nat></rulebase></entry></vsys></entry></devices>";
    assert_eq!(flags(&configured(rules, 1))["nat"], Fact::Known(true));
}

#[test]
fn a_list_without_a_profile_counts_only_over_https() {
    let list = |url: &str, profile: &str| {
        let list = format!(
            "<shared><external-list><entry name='l'><type><ip><url>{url}</url>{profile}</ip></type></entry></external-list></shared>"
        );
        features(&configured(&list, 0)).flags["edl-without-certificate-profile"].clone()
    };
    assert_eq!(list("https://lists.example/", ""), Fact::Known(true));
    assert_eq!(
        list(
            "https://lists.example/",
            "<certificate-profile>None</certificate-profile>"
        ),
        Fact::Known(true)
    );
    assert_eq!(
        list(
            "https://lists.example/",
            "<certificate-profile>p</certificate-profile>"
        ),
        Fact::Known(false)
    );
    assert_eq!(list("http://lists.example/", ""), Fact::Known(false));
}

#[test]
fn a_portal_is_judged_by_the_profile_it_names() {
    let portal = |profiles: &str| {
        let vsys = format!(
            "<devices><entry name='x'><vsys><entry name='vsys1'><captive-portal><ssl-tls-service-profile>p</ssl-tls-service-profile></captive-portal>{profiles}</entry></vsys></entry></devices>"
        );
        features(&configured(&vsys, 0)).flags["captive-portal-tls-without-max-version"].clone()
    };
    let profile = |settings: &str| {
        format!("<ssl-tls-service-profile><entry name='p'>{settings}</entry></ssl-tls-service-profile>")
    };
    let bounded = "<protocol-settings><max-version>tls1-2</max-version></protocol-settings>";
    assert_eq!(portal(&profile("")), Fact::Known(true));
    assert_eq!(portal(&profile(bounded)), Fact::Known(false));
    insta::assert_snapshot!(portal("").unknown().unwrap(), @"the service profile p is not in the device's own configuration");
}

#[test]
fn peers_in_one_subnet_are_told_from_others() {
    let pair = |peer: &str| {
        let device = format!(
            "<devices><entry name='x'><deviceconfig><high-availability><group><peer-ip>{peer}</peer-ip></group><interface><ha1><ip-address>198.51.100.1</ip-address><netmask>255.255.255.252</netmask></ha1></interface></high-availability></deviceconfig></entry></devices>"
        );
        let evidence = Evidence {
            ha: Fact::Known(ha::state(&result_of("ha-pair-10.1.xml")).unwrap()),
            ..configured(&device, 0)
        };
        features(&evidence).flags["ha1-peer-in-other-subnet"].clone()
    };
    assert_eq!(pair("198.51.100.2"), Fact::Known(false));
    assert_eq!(pair("198.51.100.6"), Fact::Known(true));
    assert!(pair("2001:db8::2").known().is_none());
    let alone = Evidence {
        ha: Fact::Known(ha::state(&result_of("ha-disabled.xml")).unwrap()),
        ..nothing()
    };
    assert_eq!(
        features(&alone).flags["ha1-peer-in-other-subnet"],
        Fact::Known(false)
    );
}

#[test]
fn weak_certificates_count_where_something_names_them() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("testdata/certificates/10.2.xml")).unwrap();
    let weak = |text: &str| {
        let reply = Raw {
            status: 200,
            content_type: None,
            body: text.as_bytes(),
        };
        let found = configuration::read(reply).unwrap();
        let certificates = found.certificates(Timestamp::UNIX_EPOCH);
        let suspects = suspects(&certificates);
        let used = configuration::named_elsewhere(reply, suspects.iter().map(String::as_str));
        let evidence = Evidence {
            certificates: Fact::Known(certificates),
            used_suspects: Fact::Known(used),
            configuration: Fact::Known(found),
            ..configured("", 0)
        };
        features(&evidence).flags["weak-certificate"].clone()
    };
    let names = |name: &str| {
        text.replace(
            "<certificate>old</certificate>",
            &format!("<certificate>{name}</certificate>"),
        )
    };
    assert_eq!(weak(&text), Fact::Known(true));
    assert_eq!(weak(&names("pss")), Fact::Known(false));
    assert_eq!(weak(&names("ed")), Fact::Known(false));
    insta::assert_snapshot!(weak(&names("broken")).unknown().unwrap(), @"the certificate broken of shared cannot be read");
}

#[test]
fn hardware_is_told_by_the_model_before_anything_is_asked() {
    let flags = features(&on_device("system-info-9.1.xml")).flags;
    for name in [
        "aws-gwlb",
        "vm-50",
        "first-generation-smc",
        "npc-100g",
        "multi-vsys",
        "fips-cc",
    ] {
        assert_eq!(flags[name], Fact::Known(false), "{name}");
    }
    let flags = features(&on_device("system-info-10.1.xml")).flags;
    assert_eq!(flags["fips-cc"], Fact::Known(true));
    assert_eq!(flags["multi-vsys"], Fact::Known(true));
    insta::assert_snapshot!(flags["aws-gwlb"].unknown().unwrap(), @"the reply of `show plugins vm_series aws gwlb` is not documented");
    insta::assert_snapshot!(flags["vm-50"].unknown().unwrap(), @"the device does not name its VM licence");
}

#[test]
fn parts_are_told_apart() {
    let chassis = |inventory: &str| {
        let mut evidence = on_device("system-info-9.1.xml");
        if let Fact::Known(system) = &mut evidence.system {
            system.model = "PA-7080".to_owned();
        }
        evidence.chassis = Fact::Known(inventory.to_owned());
        let flags = features(&evidence).flags;
        (flags["first-generation-smc"].clone(), flags["npc-100g"].clone())
    };
    let yes = Fact::Known(true);
    let no = Fact::Known(false);
    assert_eq!(chassis("1 PA-7080-SMC 0123"), (yes.clone(), no.clone()));
    assert_eq!(chassis("1 PA-7080-SMC-B 0123"), (no.clone(), no.clone()));
    assert_eq!(chassis("2,PA-7000-100G-NPC-A,1"), (no.clone(), yes));
    assert_eq!(chassis("2 PA-7000-20GXM-NPC"), (no.clone(), no));
}

#[test]
fn numbers_are_the_devices_own() {
    let mut evidence = on_device("system-info-9.1.xml");
    evidence.disks = Fact::Known(disk::rows(&result_of("disk-9.1.xml")).unwrap());
    evidence.plugin_versions = Fact::Known(Some(vec![("vm_series".to_owned(), "4.0.3-h1".to_owned())]));
    let numbers = features(&evidence).numbers;
    let known: Vec<(&str, u64)> = numbers
        .iter()
        .filter_map(|(name, number)| Some((name.as_str(), *number.known()?)))
        .collect();
    assert_eq!(
        known,
        [
            ("content", 8676),
            ("pancfg-used-percent", 35),
            ("panrepo-free-mb", 100),
            ("root-used-percent", 41),
            ("vm-plugin-version", 4_000_301),
        ]
    );
}

#[test]
fn plugin_numbers_do_not_run_into_one_another() {
    for (version, number) in [
        ("3.0.6", Some(3_000_600)),
        ("4.0.3-h1", Some(4_000_301)),
        ("2.10.12", Some(2_101_200)),
        ("3.0.100", None),
        ("3.100.0", None),
        ("3.0.6-h100", None),
        ("3.0", None),
        ("3.0.6.1", None),
        ("3.0.6-hotfix", None),
        ("", None),
    ] {
        assert_eq!(plugin_number(version), number, "{version}");
    }
}

#[test]
fn the_default_master_key_is_the_one_without_an_end() {
    let read = |text: &str| default_master_key(&result_text(text));
    let told =
        "Master key expires at: unspecified\nReminders will begin at: unspecified\nMaster key on hsm: no";
    assert_eq!(read(told), Ok(true));
    assert_eq!(read("Master key expires at: 2027/03/01 10:00:00"), Ok(false));
    for other in [
        "",
        "Master key expires at:",
        "Reminders will begin at: unspecified",
    ] {
        assert!(read(other).is_err(), "{other}");
    }
    let element = |end: &str| {
        let body = format!(
            "<response status='success'><result><auto-renew-mkey>0</auto-renew-mkey><expire-at>{end}</expire-at></result></response>"
        );
        default_master_key(&crate::xml::read_reply(200, None, body.as_bytes()).unwrap())
    };
    assert_eq!(element("0"), Ok(true));
    assert_eq!(element("2027/03/01 10:00:00"), Ok(false));
    assert!(element("never").is_err());
    assert!(element("").is_err());
}

#[test]
fn the_reserved_space_of_a_disk_is_its_normalised_value() {
    let row = |value: &str| {
        let text = format!(
            "ID# ATTRIBUTE_NAME          FLAG     VALUE WORST THRESH TYPE      UPDATED  WHEN_FAILED RAW_VALUE\n  9 Power_On_Hours          0x0032   100   100   000    Old_age   Always       -       3232\n232 Available_Reservd_Space 0x0033   {value}   100   010    Pre-fail  Always       -       0\n"
        );
        reserved_space(&result_text(&text))
    };
    assert_eq!(row("099"), Ok(99));
    for wrong in ["0x9", "1000", "-"] {
        assert!(row(wrong).is_err(), "{wrong}");
    }
    assert!(reserved_space(&result_text("232")).is_err());
}
