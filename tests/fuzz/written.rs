//! What operators write: inventories, selectors, schedules, overlays of the release catalogue, releases.
//! Knows that each of them says the same when it is written down and read again; must not know what for.

use std::path::Path;

use hopgate::audit::cron::Cron;
use hopgate::config::inventory::Inventory;
use hopgate::config::selector::Selector;
use hopgate_paths::{Catalogue, Target as Goal, Train, Version};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::Target;
use crate::repository::{files, text};

pub(crate) const TARGETS: &[Target] = &[
    Target {
        name: "inventory",
        run: inventory,
        seeds: || {
            [
                "name,address,peer,customer,site,user,password_env\nvie-a,10.0.0.1,vie-b,acme,\"Vienna, 3\",admin,PW\nvie-b,10.0.0.2,vie-a,acme,,admin,PW\n",
                "name,address,key_file,fingerprint\nfw1,fw1.example:8443,keys/fw1,AB:CD\n",
                "devices:\n  - {name: fw1, address: 10.0.0.1, labels: {site: vienna}, trust: first_use, credentials: {user: admin, password_from: {env: PW}}}\n",
            ]
            .map(|seed| seed.as_bytes().to_vec())
            .to_vec()
        },
        words: &[
            "name,address,",
            "password_env",
            "key_file",
            "peer",
            "\u{feff}",
            "\r\n",
            "\"\"",
            "devices:\n",
            "defaults:\n",
            "  - {name: ",
        ],
    },
    Target {
        name: "selector",
        run: selector,
        seeds: || {
            [
                "customer=acme,model~PA-8*,version<10.2",
                "version>=10.1.14-h9,name!~vie-?",
                "peer!=fw2,serial=0011",
            ]
            .map(|seed| seed.as_bytes().to_vec())
            .to_vec()
        },
        words: &["version<=", "!~", "model~", "10.2.4-h4", "PA-*", "**", "?"],
    },
    Target {
        name: "cron",
        run: cron,
        seeds: || {
            [
                "30 2 * * mon-fri\nEurope/Vienna\n1774745000",
                "*/15 9-17/2 1,15 jan-mar 7\nUTC\n0",
                "0 0 29 2 *\nAmerica/New_York\n4102444800",
            ]
            .map(|seed| seed.as_bytes().to_vec())
            .to_vec()
        },
        words: &[
            "* * * * *",
            "mon-fri",
            "*/",
            "dec",
            "\nEurope/Vienna\n",
            "\nAustralia/Lord_Howe\n",
            "-62135596800",
            "253402300799",
        ],
    },
    Target {
        name: "overlay",
        run: overlay,
        seeds: || {
            let mut seeds = fenced(&text("paths/data/README.md"));
            seeds.extend(files(&["paths/data"], &["models.toml"]));
            seeds
        },
        words: &[
            "[[release]]\n",
            "[[train]]\n",
            "[[advisory]]\n",
            "version = \"10.2.4-h4\"",
            "source = \"",
            "confidence = \"",
            "[models.",
            "id = \"PAN-221190\"",
        ],
    },
    Target {
        name: "version",
        run: version,
        seeds: || {
            [
                "10.2.4-h4\n10.2.4\n11.1.4.xfr\n10.1\n",
                "9.1.16-h5\n10.2.0-b10\n11.0.1-c4.xfr\n",
                "65535.65535.65535-h65535\n0.0.0\n",
            ]
            .map(|seed| seed.as_bytes().to_vec())
            .to_vec()
        },
        words: &["-h", "-b", "-c", ".xfr", "10.2.", "65536"],
    },
];

/// What stands in the fenced blocks of a page.
fn fenced(page: &str) -> Vec<Vec<u8>> {
    let parts = page.split("```").skip(1).step_by(2);
    parts
        .filter_map(|part| part.strip_prefix("toml"))
        .map(|part| part.trim_start().as_bytes().to_vec())
        .collect()
}

fn inventory(input: &[u8]) -> bool {
    let text = String::from_utf8_lossy(input);
    let by_hand = text.starts_with("devices:") || text.starts_with("defaults:");
    let path = Path::new(if by_hand {
        "inventory.yaml"
    } else {
        "inventory.csv"
    });
    let Ok(read) = Inventory::parse(path, &text) else {
        return false;
    };
    // Letters that YAML must not hold: of a table of bytes, and of nobody's inventory.
    let odd =
        |letter: char| letter.is_control() && letter != '\n' || ('\u{fff0}'..='\u{ffff}').contains(&letter);
    if text.contains(odd) {
        return true;
    }
    let written = serde_json::to_string(&read).unwrap_or_else(|error| panic!("{error}"));
    let again = Inventory::parse(Path::new("inventory.yaml"), &written);
    let again = again.unwrap_or_else(|error| panic!("{error}: {written}"));
    assert_eq!(again, read, "{written}");
    true
}

fn selector(input: &[u8]) -> bool {
    let text = String::from_utf8_lossy(input);
    let Ok(read) = text.parse::<Selector>() else {
        return false;
    };
    let again = read.to_string().parse::<Selector>();
    assert_eq!(again.as_ref(), Ok(&read), "{read}");
    let entries = "name,address,site,key_env\nvie-a,10.0.0.1,vienna vienna vienna,K\nb,c,,K\n";
    if let Ok(inventory) = Inventory::parse(Path::new("inventory.csv"), entries)
        && let Ok(selection) = read.resolved(&inventory)
    {
        for entry in &inventory.devices {
            assert_eq!(selection.of_entry(entry), selection.of_entry(entry));
        }
    }
    true
}

/// `30 2 * * mon-fri`, a time zone and an instant, a line each: what comes next comes later, and on a whole minute.
fn cron(input: &[u8]) -> bool {
    let text = String::from_utf8_lossy(input);
    let mut lines = text.lines();
    let Some(Ok(read)) = lines.next().map(str::parse::<Cron>) else {
        return false;
    };
    let zone = lines
        .next()
        .and_then(|name| TimeZone::get(name).ok())
        .unwrap_or(TimeZone::UTC);
    let second = lines.next().and_then(|second| second.trim().parse().ok());
    let mut at = second
        .and_then(|second| Timestamp::from_second(second).ok())
        .unwrap_or(Timestamp::UNIX_EPOCH);
    for _ in 0..3 {
        let Some(next) = read.next(at, &zone) else { break };
        assert!(next > at, "{next} is not after {at}");
        let local = next.to_zoned(zone.clone());
        assert_eq!((local.second(), local.subsec_nanosecond()), (0, 0), "{local}");
        at = next;
    }
    true
}

/// Rows laid over the catalogue twice are the rows laid over it once.
fn overlay(input: &[u8]) -> bool {
    let Ok(shipped) = Catalogue::embedded() else {
        panic!("the shipped catalogue is broken")
    };
    let text = String::from_utf8_lossy(input);
    let Ok(once) = shipped.overlaid(&[("a.toml", &text)]) else {
        return false;
    };
    let twice = shipped.overlaid(&[("a.toml", &text), ("b.toml", &text)]);
    let twice = twice.unwrap_or_else(|error| panic!("laid over twice: {error}"));
    let releases = |of: &Catalogue| of.releases().map(|release| release.version).collect::<Vec<_>>();
    assert_eq!(releases(&twice), releases(&once));
    assert_eq!(twice.advisories().count(), once.advisories().count());
    assert!(
        once.trains().len() >= shipped.trains().len(),
        "an overlay takes nothing away"
    );
    // A file without rows is an overlay too.
    !text.trim_start_matches('\u{feff}').trim().is_empty()
}

fn version(input: &[u8]) -> bool {
    let text = String::from_utf8_lossy(input);
    let mut read: Vec<Version> = Vec::new();
    for line in text.lines() {
        if let Ok(version) = line.parse::<Version>() {
            assert_eq!(version.to_string(), line, "written otherwise than read");
            assert_eq!(
                line.parse::<Goal>().map(|goal| goal.to_string()).as_deref(),
                Ok(line)
            );
            read.push(version);
        }
        if let Ok(train) = line.parse::<Train>() {
            assert_eq!(train.to_string(), line, "written otherwise than read");
            assert!(
                line.parse::<Version>().is_err(),
                "{line} is a release and a feature release"
            );
        }
    }
    for one in &read {
        for other in &read {
            assert_eq!(one.cmp(other), other.cmp(one).reverse(), "{one} and {other}");
            assert_eq!(
                one == other,
                one.to_string() == other.to_string(),
                "{one} and {other}"
            );
            assert!(one.train() <= other.train() || one > other, "{one} and {other}");
        }
    }
    !read.is_empty()
}
