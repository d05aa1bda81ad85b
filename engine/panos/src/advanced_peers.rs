//! Reads BGP and OSPF peers of the advanced routing engine, which tells them as JSON.
//! Knows that JSON; must not know which peers matter.

use hopgate_playbooks::{BgpPeer, BgpPrefixes, OspfNeighbour};
use serde_json::{Map, Value};

use crate::error::Failure;
use crate::routing::{advanced_json, not_so};
use crate::xml::{Node, printable};

/// `show advanced-routing bgp peer status`: `{"isp": {"state": "Established", "logical-router": "default", ..}}`, or the
/// peers of each logical router below its name.
pub(crate) fn bgp_peers(result: &Node) -> Result<Vec<BgpPeer>, Failure> {
    let Some(told) = advanced_json(result)? else {
        return Ok(Vec::new());
    };
    let mut peers = Vec::new();
    for (name, value) in object(&told, "no peers")? {
        let fields = object(value, "a peer that is none")?;
        if is_peer(fields) {
            peers.push(bgp_peer("", name, fields)?);
            continue;
        }
        for (peer, value) in fields {
            let fields = object(value, "a peer that is none")?;
            if !is_peer(fields) {
                return Err(not_so("a peer without a state"));
            }
            peers.push(bgp_peer(name, peer, fields)?);
        }
    }
    Ok(peers)
}

fn object<'v>(value: &'v Value, or: &str) -> Result<&'v Map<String, Value>, Failure> {
    value.as_object().ok_or_else(|| not_so(or))
}

fn is_peer(fields: &Map<String, Value>) -> bool {
    fields.get("state").is_some_and(Value::is_string)
}

fn text(fields: &Map<String, Value>, names: &[&str]) -> Option<String> {
    let told = names.iter().find_map(|name| fields.get(*name));
    let text = told.and_then(Value::as_str).map(|text| printable(text, 200));
    text.filter(|text| !text.is_empty())
}

fn bgp_peer(router: &str, name: &str, fields: &Map<String, Value>) -> Result<BgpPeer, Failure> {
    let state = text(fields, &["state"]).ok_or_else(|| not_so("a peer without a state"))?;
    let number = |name: &str| match fields.get(name)? {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(printable(text, 80)),
        _ => None,
    };
    let families = fields
        .get("detail")
        .and_then(|detail| detail.get("addressFamilyInfo"));
    let families = families.and_then(Value::as_object).into_iter().flatten();
    Ok(BgpPeer {
        virtual_router: text(fields, &["logical-router"]).unwrap_or_else(|| printable(router, 80)),
        group: text(fields, &["peer-group-name"]),
        peer: text(fields, &["peer-name"]).unwrap_or_else(|| printable(name, 200)),
        status: state,
        // `3600` or `3600.0`.
        status_seconds: number("status-time").and_then(|told| {
            let whole = told.split_once('.').map_or(told.as_str(), |(whole, _)| whole);
            whole.parse().ok()
        }),
        address: text(fields, &["peer-ip"]),
        remote_as: number("remote-as"),
        prefixes: families
            .map(|(family, counted)| prefixes(family, counted))
            .collect(),
    })
}

fn prefixes(family: &str, counted: &Value) -> BgpPrefixes {
    let count = |name: &str| counted.get(name).and_then(Value::as_u64);
    BgpPrefixes {
        family: printable(family, 80),
        received: None,
        accepted: count("acceptedPrefixCounter"),
        advertised: count("sentPrefixCounter"),
    }
}

/// `show advanced-routing ospf neighbor`: `{"default": {"neighbors": {"192.0.2.9": [{"state": "Full/DR", ..}]}}}`.
pub(crate) fn ospf_neighbours(result: &Node) -> Result<Vec<OspfNeighbour>, Failure> {
    let Some(told) = advanced_json(result)? else {
        return Ok(Vec::new());
    };
    let mut neighbours = Vec::new();
    for (router, value) in object(&told, "no logical routers")? {
        let fields = object(value, "a logical router that is none")?;
        let Some(known) = fields.get("neighbors") else {
            if fields.values().any(|value| value.is_object() || value.is_array()) {
                return Err(not_so("a logical router without its neighbours"));
            }
            continue;
        };
        for (id, value) in object(known, "no neighbours")? {
            // A neighbour that is seen over several links has an entry for each.
            let one = std::slice::from_ref(value);
            for entry in value.as_array().map_or(one, Vec::as_slice) {
                let fields = object(entry, "a neighbour that is none")?;
                neighbours.push(ospf_neighbour(router, id, fields)?);
            }
        }
    }
    Ok(neighbours)
}

fn ospf_neighbour(router: &str, id: &str, fields: &Map<String, Value>) -> Result<OspfNeighbour, Failure> {
    let state = text(fields, &["nbrState", "state"]).ok_or_else(|| not_so("a neighbour without a state"))?;
    // `Full/DR` is the state and the role; the other engine writes `full`.
    let state = state.split_once('/').map_or(state.as_str(), |(state, _)| state);
    let interface = text(fields, &["ifaceName"]);
    Ok(OspfNeighbour {
        virtual_router: printable(router, 80),
        local_address: interface.and_then(|name| Some(name.split_once(':')?.1.to_owned())),
        address: text(fields, &["address", "ifaceAddress"])
            .ok_or_else(|| not_so("a neighbour without an address"))?,
        router_id: Some(printable(id, 80)),
        area: text(fields, &["areaId", "area"]),
        status: state.to_ascii_lowercase(),
    })
}
