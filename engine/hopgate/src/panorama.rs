//! From what Panoramas say of their firewalls to an inventory.
//!
//! Asks the Panoramas and names, pairs and labels what they list; whatever cannot be taken over is told, and nothing is left out
//! silently. Asks no firewall.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use hopgate_core::names::{DeviceId, NAME_MAX};
use hopgate_panos::{CallError, Client, Managed, ManagedDevice};

use crate::clock::Clock;
use crate::config::ConfigError;
use crate::config::inventory::{Defaults, Entry, Inventory};
use crate::config::panorama::{PanoramaFile, PanoramaText};
use crate::connect::{ConnectError, connect};
use crate::ledger::Ledger;

/// Why there is no inventory.
#[derive(Debug, thiserror::Error)]
pub enum PanoramaError {
    /// A Panorama cannot be connected to at all.
    #[error("the Panoramas cannot be asked")]
    Connect(#[from] ConnectError),
    /// A Panorama does not say which firewalls it manages; without it the inventory would miss them.
    #[error("the firewalls of a Panorama cannot be listed: {0}")]
    Unread(CallError),
    /// A group of the file asks for what no firewall has.
    #[error("the groups cannot be made of what the Panoramas list")]
    Groups(#[source] ConfigError),
}

/// What the Panoramas said, as an inventory.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// The firewalls, by name.
    pub inventory: Inventory,
    /// What was changed to make it, or is worth knowing: a line each.
    pub notes: Vec<String>,
    /// Firewalls that are not in it, each with the reason.
    pub left_out: Vec<String>,
}

/// What one Panorama said.
struct Answer<'f> {
    panorama: &'f PanoramaText,
    devices: Vec<ManagedDevice>,
    groups: BTreeMap<String, String>,
}

/// A firewall, and the Panorama that tells of it.
struct Firewall<'a> {
    device: &'a ManagedDevice,
    panorama: &'a PanoramaText,
    group: Option<&'a String>,
}

/// Asks every Panorama of the file. Certificates that are trusted on first use are recorded.
pub async fn list(file: &PanoramaFile, path: &Path, ledger: &Ledger) -> Result<Listed, PanoramaError> {
    let connections = connect(&file.themselves(), path, ledger)?;
    let mut answers = Vec::new();
    for panorama in &file.panoramas {
        let Some(client) = connections.clients.get(&panorama.name) else {
            continue;
        };
        let (devices, groups) = Box::pin(ask(client)).await.map_err(PanoramaError::Unread)?;
        answers.push(Answer {
            panorama,
            devices,
            groups,
        });
    }
    connections
        .record_first_use(ledger, Clock::system().now())
        .await?;
    let listed = inventory(file, &answers);
    let Inventory { groups, devices, .. } = &listed.inventory;
    groups.check_keys(path, devices).map_err(|error| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        PanoramaError::Groups(error.located_in(&text))
    })?;
    Ok(listed)
}

async fn ask(client: &Client) -> Result<(Vec<ManagedDevice>, BTreeMap<String, String>), CallError> {
    let devices = client.managed_devices(Managed::All).await?;
    let groups = client.device_groups().await?;
    Ok((devices, groups))
}

fn inventory(file: &PanoramaFile, answers: &[Answer<'_>]) -> Listed {
    let firewalls = by_serial(answers);
    let mut left_out = Vec::new();
    let mut placed: BTreeMap<&str, String> = BTreeMap::new();
    let mut taken: BTreeMap<String, &str> = BTreeMap::new();
    for (serial, firewall) in &firewalls {
        let who = || {
            format!(
                "{} (serial {serial})",
                firewall.device.hostname.as_deref().unwrap_or("a firewall")
            )
        };
        let Some(address) = address(firewall.device, file.devices.port) else {
            let panorama = &firewall.panorama.name;
            left_out.push(format!("{}: {panorama} knows no address of it", who()));
            continue;
        };
        if let Some(other) = taken.get(&address) {
            left_out.push(format!(
                "{}: it has the address {address}, and so has serial {other}",
                who()
            ));
            continue;
        }
        taken.insert(address.clone(), serial);
        placed.insert(serial, address);
    }
    let (names, mut notes) = names(file, &firewalls, &placed);
    let mut devices: Vec<Entry> = Vec::new();
    for (serial, address) in placed {
        let (Some(firewall), Some(name)) = (firewalls.get(serial), names.get(serial)) else {
            continue;
        };
        if !firewall.device.connected {
            let panorama = &firewall.panorama.name;
            notes.push(format!(
                "{name} is not connected to {panorama}, and kept: its address is what {panorama} heard last"
            ));
        }
        devices.push(Entry {
            name: name.clone(),
            address,
            serial: Some((*serial).to_owned()),
            peer: peer(serial, &firewalls, &names, &mut notes),
            labels: labels(name, firewall, &mut notes),
            credentials: None,
            trust: None,
        });
    }
    devices.sort_by(|a, b| a.name.cmp(&b.name));
    Listed {
        inventory: Inventory {
            simulated_clock: None,
            defaults: Defaults {
                credentials: Some(file.devices.credentials.clone()),
                trust: file.devices.trust.clone(),
            },
            groups: file.groups.clone(),
            devices,
        },
        notes,
        left_out,
    }
}

/// Each firewall once: by the first Panorama that is connected to it, or the first that lists it.
fn by_serial<'a>(answers: &'a [Answer<'a>]) -> BTreeMap<&'a str, Firewall<'a>> {
    let mut firewalls: BTreeMap<&str, Firewall<'_>> = BTreeMap::new();
    for answer in answers {
        for device in &answer.devices {
            let known = firewalls.get(device.serial.as_str());
            if known.is_some_and(|known| known.device.connected || !device.connected) {
                continue;
            }
            let firewall = Firewall {
                device,
                panorama: answer.panorama,
                group: answer.groups.get(&device.serial),
            };
            firewalls.insert(&device.serial, firewall);
        }
    }
    firewalls
}

fn address(device: &ManagedDevice, port: Option<u16>) -> Option<String> {
    let host = match (&device.address, &device.address_v6) {
        (Some(v4), _) => v4.clone(),
        (None, Some(v6)) => format!("[{v6}]"),
        (None, None) => return None,
    };
    Some(match port {
        Some(port) => format!("{host}:{port}"),
        None => host,
    })
}

/// A name for each firewall that is placed: its host name as far as a name may be so, with the serial number where that is not
/// one firewall's alone.
fn names<'a>(
    file: &PanoramaFile,
    firewalls: &BTreeMap<&'a str, Firewall<'_>>,
    placed: &BTreeMap<&'a str, String>,
) -> (BTreeMap<&'a str, DeviceId>, Vec<String>) {
    let wanted = placed.keys().filter_map(|serial| {
        let device = firewalls.get(serial)?.device;
        Some((*serial, allowed(device.hostname.as_deref().unwrap_or(serial))))
    });
    let wanted: BTreeMap<&str, String> = wanted.collect();
    let mut used: BTreeMap<&str, usize> = BTreeMap::new();
    // The journal keeps the certificates of Panoramas under their names.
    let of_panoramas = file.panoramas.iter().map(|panorama| panorama.name.as_str());
    for name in wanted.values().map(String::as_str).chain(of_panoramas) {
        *used.entry(name).or_default() += 1;
    }
    let (mut names, mut notes, mut given) = (BTreeMap::new(), Vec::new(), BTreeSet::new());
    for (serial, name) in &wanted {
        let alone = used.get(name.as_str()) == Some(&1);
        let mut name = if alone {
            name.clone()
        } else {
            with_serial(name, serial)
        };
        // A host name can be another one's with its serial number.
        if !given.insert(name.clone()) {
            name = with_serial(&name, serial);
            given.insert(name.clone());
        }
        let Ok(id) = name.parse::<DeviceId>() else {
            continue;
        };
        let hostname = firewalls
            .get(serial)
            .and_then(|firewall| firewall.device.hostname.as_deref());
        match hostname {
            Some(hostname) if hostname == name => {}
            Some(hostname) => notes.push(format!("{hostname} (serial {serial}) is called {name}")),
            None => notes.push(format!("serial {serial} has no host name, and is called {name}")),
        }
        names.insert(*serial, id);
    }
    (names, notes)
}

/// What a name may not hold is a dash.
fn allowed(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    let name = text
        .chars()
        .map(|letter| if plain(letter) { letter } else { '-' });
    name.take(NAME_MAX).collect()
}

fn with_serial(name: &str, serial: &str) -> String {
    let serial = allowed(serial);
    let room = NAME_MAX.saturating_sub(serial.len() + 1);
    let name: String = name.chars().take(room).collect();
    format!("{name}-{serial}")
}

/// The other member, where both name each other and both are there.
fn peer(
    serial: &str,
    firewalls: &BTreeMap<&str, Firewall<'_>>,
    names: &BTreeMap<&str, DeviceId>,
    notes: &mut Vec<String>,
) -> Option<DeviceId> {
    let other = firewalls.get(serial)?.device.peer_serial.as_deref()?;
    let name = names.get(serial)?;
    if other == serial {
        notes.push(format!("{name} says that it is its own HA peer"));
        return None;
    }
    let Some(peer) = names.get(other) else {
        notes.push(format!(
            "{name} has an HA peer that is not in the inventory: serial {other}"
        ));
        return None;
    };
    let back = firewalls
        .get(other)
        .and_then(|firewall| firewall.device.peer_serial.as_deref());
    if back != Some(serial) {
        notes.push(format!(
            "{name} says that {peer} is its HA peer, and {peer} does not"
        ));
        return None;
    }
    Some(peer.clone())
}

/// What the Panorama's entry in the file gives, then what the Panorama itself knows, then tags. The first one stays: whoever may
/// set a tag on a Panorama must not move a firewall to another customer's reports.
fn labels(name: &DeviceId, firewall: &Firewall<'_>, notes: &mut Vec<String>) -> BTreeMap<String, String> {
    let Firewall {
        device,
        panorama,
        group,
    } = firewall;
    let mut labels = panorama.labels.clone();
    let mut put = |label: &str, value: &str| match labels.get(label) {
        None => {
            labels.insert(label.to_owned(), value.to_owned());
        }
        Some(kept) if kept == value => {}
        Some(kept) => notes.push(format!(
            "{name} keeps the label {label}={kept}, and {} says {label}={value}",
            panorama.name
        )),
    };
    put("panorama", panorama.name.as_str());
    put("connected", if device.connected { "yes" } else { "no" });
    if let Some(group) = group {
        put("device_group", group);
    }
    if let Some(template) = &device.template {
        put("template", template);
    }
    // A tag such as `site=vienna` is a label already; any other is a word of one.
    let mut words = Vec::new();
    for tag in &device.tags {
        match tag.split_once('=') {
            Some((label, value)) if !label.trim().is_empty() => put(label.trim(), value.trim()),
            _ => words.push(tag.as_str()),
        }
    }
    if !words.is_empty() {
        put("tags", &words.join(" "));
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
panoramas:
  - {name: pan-a, address: 192.0.2.5, credentials: {key_from: {env: K}}, labels: {customer: acme}}
  - {name: pan-b, address: 192.0.2.6, credentials: {key_from: {env: K}}}
devices:
  credentials: {user: svc, password_from: {env: PW}}
";

    fn firewall(serial: &str, hostname: &str, address: &str, connected: bool) -> ManagedDevice {
        ManagedDevice {
            serial: serial.to_owned(),
            hostname: (!hostname.is_empty()).then(|| hostname.to_owned()),
            address: (!address.is_empty()).then(|| address.to_owned()),
            address_v6: None,
            model: None,
            version: None,
            connected,
            ha_state: None,
            peer_serial: None,
            template: None,
            tags: Vec::new(),
        }
    }

    fn pair(mut one: ManagedDevice, peer: &str) -> ManagedDevice {
        one.peer_serial = Some(peer.to_owned());
        one
    }

    /// The inventory of what the two Panoramas say, as a person reads it.
    fn listed(first: Vec<ManagedDevice>, second: Vec<ManagedDevice>) -> String {
        let file: PanoramaFile = crate::config::parse(Path::new("panorama.yaml"), FILE).unwrap();
        let groups = BTreeMap::from([("1".to_owned(), "vienna".to_owned())]);
        let answers = [(0, first), (1, second)].map(|(at, devices)| Answer {
            panorama: &file.panoramas[at],
            devices,
            groups: groups.clone(),
        });
        let Listed {
            inventory,
            notes,
            left_out,
        } = inventory(&file, &answers);
        // What is written is read again as it is.
        let text = inventory.to_yaml().unwrap();
        let path = Path::new("inventory.yaml");
        let read: Inventory = crate::config::parse(path, &text).unwrap();
        assert_eq!(read, inventory);
        read.check(path).unwrap();
        let mut out = String::new();
        for entry in &inventory.devices {
            let peer = entry
                .peer
                .as_ref()
                .map_or_else(String::new, |peer| format!(" peer {peer}"));
            let labels: Vec<String> = entry
                .labels
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let serial = entry.serial.as_deref().unwrap_or("?");
            out.push_str(&format!(
                "{} {} {serial}{peer} {}\n",
                entry.name,
                entry.address,
                labels.join(",")
            ));
        }
        for note in notes {
            out.push_str(&format!("note: {note}\n"));
        }
        for left in left_out {
            out.push_str(&format!("left out: {left}\n"));
        }
        out
    }

    #[test]
    fn peers_are_paired_by_their_serials_and_labels_come_from_everywhere() {
        let mut tagged = firewall("1", "vie-edge1", "192.0.2.11", true);
        tagged.tags = ["gold", "site=vienna", "vip"].map(str::to_owned).to_vec();
        tagged.template = Some("branches".to_owned());
        let v6 = ManagedDevice {
            address_v6: Some("2001:db8::22".to_owned()),
            ..pair(firewall("3", "lnz-b", "", true), "2")
        };
        insta::assert_snapshot!(listed(vec![v6, pair(firewall("2", "lnz-a", "192.0.2.21", true), "3"), tagged], Vec::new()), @r"
        lnz-a 192.0.2.21 2 peer lnz-b connected=yes,customer=acme,panorama=pan-a
        lnz-b [2001:db8::22] 3 peer lnz-a connected=yes,customer=acme,panorama=pan-a
        vie-edge1 192.0.2.11 1 connected=yes,customer=acme,device_group=vienna,panorama=pan-a,site=vienna,tags=gold vip,template=branches
        ");
    }

    #[test]
    fn no_tag_takes_a_label_from_the_file_or_from_what_the_panorama_knows() {
        let mut tagged = firewall("1", "fw", "192.0.2.1", true);
        let tags = [
            "customer=bolt",
            "customer=acme",
            "panorama=pan-b",
            "device_group=graz",
            "site=vienna",
            "site=linz",
            " customer = bolt ",
        ];
        tagged.tags = tags.map(str::to_owned).to_vec();
        insta::assert_snapshot!(listed(vec![tagged], Vec::new()), @r"
        fw 192.0.2.1 1 connected=yes,customer=acme,device_group=vienna,panorama=pan-a,site=vienna
        note: fw keeps the label customer=acme, and pan-a says customer=bolt
        note: fw keeps the label panorama=pan-a, and pan-a says panorama=pan-b
        note: fw keeps the label device_group=vienna, and pan-a says device_group=graz
        note: fw keeps the label site=vienna, and pan-a says site=linz
        note: fw keeps the label customer=acme, and pan-a says customer=bolt
        ");
    }

    #[test]
    fn names_are_made_fit_and_unique_and_told() {
        insta::assert_snapshot!(listed(
            vec![
                firewall("1", "fw", "192.0.2.1", true),
                firewall("2", "fw", "192.0.2.2", true),
                firewall("3", "Büro Wien/1", "192.0.2.3", true),
                firewall("4", "", "192.0.2.4", true),
                firewall("5", "pan-a", "192.0.2.5", true),
                firewall("6", "fw-1", "192.0.2.6", true),
                firewall("7", &"x".repeat(100), "192.0.2.7", true),
            ],
            Vec::new(),
        ), @r"
        4 192.0.2.4 4 connected=yes,customer=acme,panorama=pan-a
        B-ro-Wien-1 192.0.2.3 3 connected=yes,customer=acme,panorama=pan-a
        fw-1 192.0.2.1 1 connected=yes,customer=acme,device_group=vienna,panorama=pan-a
        fw-1-6 192.0.2.6 6 connected=yes,customer=acme,panorama=pan-a
        fw-2 192.0.2.2 2 connected=yes,customer=acme,panorama=pan-a
        pan-a-5 192.0.2.5 5 connected=yes,customer=acme,panorama=pan-a
        xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx 192.0.2.7 7 connected=yes,customer=acme,panorama=pan-a
        note: fw (serial 1) is called fw-1
        note: fw (serial 2) is called fw-2
        note: Büro Wien/1 (serial 3) is called B-ro-Wien-1
        note: serial 4 has no host name, and is called 4
        note: pan-a (serial 5) is called pan-a-5
        note: fw-1 (serial 6) is called fw-1-6
        note: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx (serial 7) is called xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
        ");
    }

    #[test]
    fn nothing_is_left_out_or_made_up_silently() {
        insta::assert_snapshot!(listed(
            vec![
                firewall("1", "away", "192.0.2.1", false),
                firewall("2", "never-seen", "", false),
                firewall("3", "behind-nat-a", "192.0.2.3", true),
                firewall("4", "behind-nat-b", "192.0.2.3", true),
                pair(firewall("5", "one-sided", "192.0.2.5", true), "1"),
                pair(firewall("6", "widow", "192.0.2.6", true), "99"),
                pair(firewall("7", "itself", "192.0.2.7", true), "7"),
            ],
            Vec::new(),
        ), @r"
        away 192.0.2.1 1 connected=no,customer=acme,device_group=vienna,panorama=pan-a
        behind-nat-a 192.0.2.3 3 connected=yes,customer=acme,panorama=pan-a
        itself 192.0.2.7 7 connected=yes,customer=acme,panorama=pan-a
        one-sided 192.0.2.5 5 connected=yes,customer=acme,panorama=pan-a
        widow 192.0.2.6 6 connected=yes,customer=acme,panorama=pan-a
        note: away is not connected to pan-a, and kept: its address is what pan-a heard last
        note: one-sided says that away is its HA peer, and away does not
        note: widow has an HA peer that is not in the inventory: serial 99
        note: itself says that it is its own HA peer
        left out: never-seen (serial 2): pan-a knows no address of it
        left out: behind-nat-b (serial 4): it has the address 192.0.2.3, and so has serial 3
        ");
    }

    #[test]
    fn a_firewall_of_two_panoramas_is_one_and_told_by_the_one_that_it_is_connected_to() {
        let seen = |connected| firewall("1", "fw", "192.0.2.1", connected);
        insta::assert_snapshot!(listed(vec![seen(true)], vec![seen(true)]), @"fw 192.0.2.1 1 connected=yes,customer=acme,device_group=vienna,panorama=pan-a");
        insta::assert_snapshot!(listed(vec![seen(false)], vec![seen(true)]), @"fw 192.0.2.1 1 connected=yes,device_group=vienna,panorama=pan-b");
    }

    proptest::proptest! {
        #[test]
        fn whatever_panoramas_say_the_inventory_is_one_that_can_be_read(
            said in proptest::collection::vec(("[0-9]{1,2}", "[a-c/ ]{0,3}", "[a-c]{0,1}", proptest::bool::ANY, "[0-9]{0,2}"), 0..12),
        ) {
            let devices: Vec<ManagedDevice> = said
                .into_iter()
                .map(|(serial, name, address, connected, peer)| pair(firewall(&serial, &name, &address, connected), &peer))
                .collect();
            let count = devices.iter().map(|device| &device.serial).collect::<BTreeSet<_>>().len();
            let (half, rest) = devices.split_at(devices.len() / 2);
            let told = listed(half.to_vec(), rest.to_vec());
            let lines = told.lines().filter(|line| !line.starts_with("note: ")).count();
            proptest::prop_assert_eq!(lines, count);
        }
    }
}
