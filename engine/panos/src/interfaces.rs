//! Reads interfaces: ports and logical interfaces, their counters, their largest packets.
//! Knows these replies; must not know which interfaces matter.

use std::collections::BTreeSet;

use hopgate_playbooks::{HardwareInterface, InterfaceCounters, InterfaceMtu, Interfaces, LogicalInterface};

use crate::error::Failure;
use crate::state_dump::{NO_MATCHES, Value, entries, unreadable};
use crate::xml::{Node, printable, whole_number};

/// `<hw><entry>..` and `<ifnet><entry>..` of `show interface all`.
pub(crate) fn interfaces(result: &Node) -> Result<Interfaces, Failure> {
    let ports = result
        .child("hw")
        .ok_or_else(|| Failure::unreadable("<result> has no <hw>"))?;
    let logical = result.child("ifnet").into_iter();
    Ok(Interfaces {
        hardware: ports
            .children_named("entry")
            .map(port)
            .collect::<Result<_, _>>()?,
        logical: logical
            .flat_map(|ifnet| ifnet.children_named("entry"))
            .map(logical_interface)
            .collect::<Result<_, _>>()?,
    })
}

fn port(entry: &Node) -> Result<HardwareInterface, Failure> {
    Ok(HardwareInterface {
        name: entry.required_words("name")?,
        state: entry.required_words("state")?,
        speed: entry.words("speed"),
        duplex: entry.words("duplex"),
        mac: entry.words("mac"),
        mode: entry.words("mode"),
    })
}

fn logical_interface(entry: &Node) -> Result<LogicalInterface, Failure> {
    let given = |name: &str| entry.words(name).filter(|text| text != "N/A");
    // A device lists them in any order, and one that it shows as `ip` once more in a list.
    let mut addresses: BTreeSet<String> = given("ip").into_iter().collect();
    for list in ["addr", "addr6", "dyn-addr"] {
        let members = entry
            .child(list)
            .into_iter()
            .flat_map(|list| list.children_named("member"));
        addresses.extend(
            members
                .map(|member| printable(member.text(), 80))
                .filter(|text| !text.is_empty()),
        );
    }
    Ok(LogicalInterface {
        name: entry.required_words("name")?,
        vsys: given("vsys"),
        zone: given("zone"),
        forwarding: given("fwd"),
        tag: entry.number("tag").and_then(|tag| u32::try_from(tag).ok()),
        addresses: addresses.into_iter().collect(),
    })
}

/// `<hw><entry>..` and `<ifnet><ifnet><entry>..` of `show counter interface all`.
pub(crate) fn counters(result: &Node) -> Result<Vec<InterfaceCounters>, Failure> {
    let hardware = result
        .child("hw")
        .ok_or_else(|| Failure::unreadable("<result> has no <hw>"))?;
    let logical = result.at(&["ifnet", "ifnet"]).or_else(|| result.child("ifnet"));
    let logical = logical
        .into_iter()
        .flat_map(|ifnet| ifnet.children_named("entry"));
    let hardware = hardware.children_named("entry");
    hardware
        .map(|entry| counted(entry, false))
        .chain(logical.map(|entry| counted(entry, true)))
        .collect()
}

/// A port is counted twice: by itself (`<port>`, frames on the wire), and by the processor that its packets reach. The latter
/// does not see what the wire spoils (knowledge base, "The Difference Between Receive Errors for Hardware and Logical Interface
/// Counters"), and counts nothing where packets do not reach it; so of packets and errors the larger number is the port's. Of one that
/// cannot be read nothing is known: the other one does not stand for it.
fn counted(entry: &Node, logical: bool) -> Result<InterfaceCounters, Failure> {
    let port = entry.child("port");
    let by_itself = |of_port: &str| port.map_or(Ok(None), |port| port.number_if_told(of_port));
    let count = |name: &str, of_port: &str| match entry.number_if_told(name) {
        Ok(None) => by_itself(of_port).ok()?,
        counted => counted.ok()?,
    };
    let most = |name: &str, of_port: &str| entry.number_if_told(name).ok()?.max(by_itself(of_port).ok()?);
    Ok(InterfaceCounters {
        name: entry.required_words("name")?,
        logical,
        bytes_in: count("ibytes", "rx-bytes"),
        bytes_out: count("obytes", "tx-bytes"),
        packets_in: most("ipackets", "rx-unicast"),
        packets_out: count("opackets", "tx-unicast"),
        errors_in: most("ierrors", "rx-error"),
        drops_in: count("idrops", "rx-discards"),
    })
}

/// `sw.dev.interface.config: { 'ethernet1/1': { 'hwaddr': .., 'mtu': 1500, }, 'ethernet1/1.100': { }, }`, in the order of
/// names.
pub(crate) fn mtus(result: &Node) -> Result<Vec<InterfaceMtu>, Failure> {
    let mut mtus = Vec::new();
    for (key, value) in entries(result)? {
        let interfaces = match value {
            Value::Block(interfaces) => interfaces,
            Value::Text(text) if text == NO_MATCHES => continue,
            Value::Text(_) => return Err(unreadable(&key, "its value is not a block")),
        };
        for (interface, value) in interfaces {
            let Value::Block(fields) = value else {
                return Err(unreadable(&interface, "its value is not a block"));
            };
            let mtu = match fields.get("mtu") {
                None => None,
                Some(Value::Text(text)) => Some(
                    whole_number(text).ok_or_else(|| unreadable(&interface, "its MTU is not a number"))?,
                ),
                Some(Value::Block(_)) => return Err(unreadable(&interface, "its MTU is a block")),
            };
            mtus.push(InterfaceMtu {
                interface: printable(&interface, 80),
                mtu,
            });
        }
    }
    Ok(mtus)
}
