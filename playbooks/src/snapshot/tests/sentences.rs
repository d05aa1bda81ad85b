//! Every area, as a person reads it.

use serde_json::json;

use super::*;

/// A thing of which every field says its own name, and one that is gone.
fn named(area: &rules::AreaRules, mark: &str, fields: &[String]) -> Fact<Rows> {
    let value = |field: &String| {
        let name = field.rsplit('.').next().unwrap_or_default();
        let identifies = area.key.contains(field) || area.only.iter().any(|test| test.field == *field);
        Value::from(if identifies {
            format!("<{name}>")
        } else {
            format!("{mark}{name}")
        })
    };
    Fact::Known(Rows {
        fields: fields.to_vec(),
        rows: vec![fields.iter().map(value).collect()],
    })
}

#[test]
fn every_area_calls_its_things_and_fields_by_their_names() {
    let rules = Rules::builtin();
    let mut text = String::new();
    for area in &rules.areas {
        let fields = area.kept();
        let snapshot = |rows: Fact<Rows>| Snapshot {
            areas: BTreeMap::from([(area.name.clone(), rows)]),
            ..Snapshot::of(&facts(|_| {}))
        };
        let before = snapshot(named(area, "old ", &fields));
        let after = snapshot(named(area, "new ", &fields));
        let none = snapshot(Fact::Known(Rows {
            fields,
            rows: Vec::new(),
        }));
        let _ = writeln!(text, "{} ({})", area.name, area.title);
        for difference in [
            compare(&before, &none, rules, None),
            compare(&before, &after, rules, None),
        ] {
            for line in told(&difference).lines() {
                let _ = writeln!(text, "  {line}");
            }
        }
    }
    insta::assert_snapshot!(text, @r"
    system (System)
      look: the device: gone
      stop: the device: model old model -> new model
      stop: the device: several virtual systems old multi_vsys -> new multi_vsys
      stop: the device: operational mode old operational_mode -> new operational_mode
      stop: the device: serial number old serial -> new serial
      look: the device: hostname old hostname -> new hostname
      look: the device: release old sw_version -> new sw_version
      look: the device: uptime in seconds old uptime_seconds -> new uptime_seconds
    identity (Identity)
      look: the device: gone
      stop: the device: advanced routing engine old advanced_routing -> new advanced_routing
      stop: the device: licence of the virtual machine old vm_license -> new vm_license
      look: the device: management address old address -> new address
      look: the device: management MAC address old mac -> new mac
      look: the device: memory of the virtual machine in MB old vm_memory_mb -> new vm_memory_mb
      harmless: the device: device certificate old device_certificate -> new device_certificate
    identity.packages (Installed packages)
      look: package <name>: gone
      harmless: package <name>: old value -> new value
    partitions (Partitions)
      look: partition <name>: gone (was old state)
      look: partition <name>: old state -> new state
      look: partition <name>: version old version -> new version
    software (Software list)
      harmless: image <version>: gone
      harmless: image <version>: current old current -> new current
      harmless: image <version>: downloaded old downloaded -> new downloaded
    content (Content)
      look: Applications and Threats content: gone (was old installed)
      look: Applications and Threats content: old installed -> new installed
    plugins (Plugins)
      stop: plugin <name>: gone (was old version)
      look: plugin <name>: old version -> new version
    licences (Licences)
      stop: licence <feature>: gone
      look: licence <feature>: expired old expired -> new expired
      look: licence <feature>: last day old expires -> new expires
      look: licence <feature>: perpetual old perpetual -> new perpetual
      look: licence <feature>: serial number old serial -> new serial
    support (Support contract)
      look: the support contract: gone
      look: the support contract: last day old expires -> new expires
      look: the support contract: level old level -> new level
    ha (High availability)
      look: HA: gone (was old state)
      stop: HA: enabled old enabled -> new enabled
      stop: HA: mode old mode -> new mode
      look: HA: local address old address -> new address
      look: HA: old state -> new state
      look: HA: session synchronisation old state_sync -> new state_sync
      look: HA: peer address old address -> new address
      look: HA: peer state old state -> new state
      look: HA: session synchronisation of the peer old state_sync -> new state_sync
      look: HA: preemptive old preemptive -> new preemptive
      look: HA: configuration synchronisation old running_sync -> new running_sync
      look: HA: configuration synchronisation enabled old running_sync_enabled -> new running_sync_enabled
      harmless: HA: own release old build -> new build
      harmless: HA: release of the peer old build -> new build
    ha_links (HA settings)
      look: HA: gone
      look: HA: connection to the peer old connection -> new connection
      look: HA: enabled old enabled -> new enabled
      look: HA: link monitoring old link_monitoring -> new link_monitoring
      look: HA: what differs between the members old mismatches -> new mismatches
      look: HA: most flaps old most_flaps -> new most_flaps
      look: HA: flaps by failures old non_functional_flaps -> new non_functional_flaps
      look: HA: path monitoring old path_monitoring -> new path_monitoring
      look: HA: peer preemptive old peer_preemptive -> new peer_preemptive
      look: HA: peer priority old peer_priority -> new peer_priority
      look: HA: flaps by preemption old preemption_flaps -> new preemption_flaps
      look: HA: preemptive old preemptive -> new preemptive
      look: HA: priority old priority -> new priority
    ha_links.links (HA links)
      stop: HA link <name>: gone (was old status)
      look: HA link <name>: old status -> new status
    ha_links.link_groups.interfaces (Monitored ports)
      look: port <name> of link group <name>: gone (was old status)
      look: port <name> of link group <name>: old status -> new status
    interfaces.hardware (Ports)
      stop: port <name>: gone (was old state)
      look: port <name>: duplex old duplex -> new duplex
      look: port <name>: mode old mode -> new mode
      look: port <name>: speed old speed -> new speed
      harmless: port <name>: MAC address old mac -> new mac
      harmless: port <name>: old state -> new state
    interfaces.logical (Logical interfaces)
      stop: interface <name>: gone
      stop: interface <name>: VLAN tag old tag -> new tag
      stop: interface <name>: zone old zone -> new zone
      look: interface <name>: addresses old addresses -> new addresses
      look: interface <name>: forwarding old forwarding -> new forwarding
      look: interface <name>: virtual system old vsys -> new vsys
    interface_counters (Interface errors)
      harmless: <name>: gone
      look: <name>: packets received with errors old errors_in -> new errors_in
    mtus (Packet sizes)
      look: MTU of <interface>: gone (was old mtu)
      stop: MTU of <interface>: old mtu -> new mtu
    jumbo_frames (Jumbo frames)
      look: jumbo frames: gone
      stop: jumbo frames: old value -> new value
    optics (Modules)
      stop: old interface: gone (was old media)
      look: old interface: class old class -> new class
      look: old interface: interface old interface -> new interface
      look: old interface: old media -> new media
      look: old interface: part number of the module old part -> new part
      look: old interface: serial number of the module old serial -> new serial
      look: old interface: vendor of the module old vendor -> new vendor
    routes (Routes)
      stop: Routes: 1 -> 0 (-100 %), more than 50 % or 20 % and 100
      look: route <destination> of <virtual_router> to <next_hop> through <interface>: gone
      look: route <destination> of <virtual_router> to <next_hop> through <interface>: metric old metric -> new metric
      harmless: route <destination> of <virtual_router> to <next_hop> through <interface>: flags old flags -> new flags
    fib (Forwarding entries)
      stop: Forwarding entries: 1 -> 0 (-100 %), more than 50 % or 20 % and 100
      look: forwarding entry <destination> of <router> to <next_hop> through <interface>: gone
      look: forwarding entry <destination> of <router> to <next_hop> through <interface>: mtu old mtu -> new mtu
    advanced_routes (Routes of the advanced engine)
      stop: Routes of the advanced engine: 1 -> 0 (-100 %), more than 50 % or 20 % and 100
      look: route <destination> of <logical_router> to <next_hop> through <interface>, <protocol>: gone
      look: route <destination> of <logical_router> to <next_hop> through <interface>, <protocol>: distance old distance -> new distance
      look: route <destination> of <logical_router> to <next_hop> through <interface>, <protocol>: installed old installed -> new installed
      look: route <destination> of <logical_router> to <next_hop> through <interface>, <protocol>: metric old metric -> new metric
      look: route <destination> of <logical_router> to <next_hop> through <interface>, <protocol>: selected old selected -> new selected
    advanced_fib (Forwarding entries of the advanced engine)
      stop: Forwarding entries of the advanced engine: 1 -> 0 (-100 %), more than 50 % or 20 % and 100
      look: forwarding entry <destination> of <router> to <next_hop> through <interface>: gone
      look: forwarding entry <destination> of <router> to <next_hop> through <interface>: mtu old mtu -> new mtu
    bgp_peers (BGP peers)
      look: BGP peer <peer> of <virtual_router>: gone (was old status)
      look: BGP peer <peer> of <virtual_router>: autonomous system old remote_as -> new remote_as
      harmless: BGP peer <peer> of <virtual_router>: old status -> new status
    bgp_peers.prefixes (BGP prefixes)
      harmless: <family> of BGP peer <peer> of <virtual_router>: gone
      look: <family> of BGP peer <peer> of <virtual_router>: prefixes accepted old accepted -> new accepted
      look: <family> of BGP peer <peer> of <virtual_router>: prefixes advertised old advertised -> new advertised
      look: <family> of BGP peer <peer> of <virtual_router>: prefixes received old received -> new received
    ospf_neighbours (OSPF neighbours)
      look: OSPF neighbour <address> of <virtual_router>, area <area>: gone (was old status)
      look: OSPF neighbour <address> of <virtual_router>, area <area>: router id old router_id -> new router_id
      look: OSPF neighbour <address> of <virtual_router>, area <area>: old status -> new status
    arp (Neighbours)
      look: Neighbours: 1 -> 0 (-100 %), more than 50 %
      harmless: neighbour <address> on <interface>: gone
      look: neighbour <address> on <interface>: port old port -> new port
    ipsec_tunnels (IPsec tunnels)
      look: tunnel <name>: gone (was old state)
      look: tunnel <name>: inner interface old inner_interface -> new inner_interface
      look: tunnel <name>: local address old local_address -> new local_address
      look: tunnel <name>: outer interface old outer_interface -> new outer_interface
      look: tunnel <name>: peer address old peer_address -> new peer_address
      harmless: tunnel <name>: monitor old monitor -> new monitor
      harmless: tunnel <name>: old state -> new state
    globalprotect_users (GlobalProtect users)
      look: GlobalProtect users: 1 -> 0 (-100 %), more than 50 %
      harmless: user <user> at <computer>: gone
    sessions (Sessions)
    panorama.servers (Panorama)
      look: Panorama <address>: gone (was old connected)
      look: Panorama <address>: old connected -> new connected
    user_id (User-ID service)
      look: the User-ID service: gone
      look: the User-ID service: up old service_up -> new service_up
    redistribution.clients (Redistribution clients)
      look: a redistribution client: gone
    redistribution.agents (Redistribution agents)
      look: a redistribution agent: gone
    ntp (Time synchronisation)
      look: the clock: gone
      look: the clock: server in use old synchronised_to -> new synchronised_to
    ntp.servers (Time servers)
      look: time server <name>: gone (was old status)
      look: time server <name>: reachable old reachable -> new reachable
      harmless: time server <name>: old status -> new status
    processes (Processes)
      harmless: <name> of <slot>: gone (was old state)
      look: <name> of <slot>: old state -> new state
    environment (Sensors)
      look: <name>, slot <slot>: gone
      look: <name>, slot <slot>: alarm old alarm -> new alarm
    disks (Disks)
      look: file system <mount>: gone
      look: file system <mount>: free MB old available_mb -> new available_mb
      look: file system <mount>: size in MB old size_mb -> new size_mb
    memory (Memory)
      look: memory: gone
      look: memory: size in MB old total_mb -> new total_mb
      look: memory: used percent old used_percent -> new used_percent
    held_locks (Locks)
      harmless: <kind> lock of <holder> on <scope>: gone
    pending_changes (Uncommitted changes)
      look: uncommitted changes: gone
      look: uncommitted changes: old value -> new value
    full_commit_required (Full commit)
      look: a full commit is needed: gone
      look: a full commit is needed: old value -> new value
    configuration (Configuration)
      look: the running configuration: gone
      look: the running configuration: bytes old bytes -> new bytes
      look: the running configuration: release of its format old version -> new version
    certificates (Certificates)
      stop: certificate <name> of <place>: gone
      look: certificate <name> of <place>: algorithm old algorithm -> new algorithm
      look: certificate <name> of <place>: authority old authority -> new authority
      look: certificate <name> of <place>: bits old bits -> new bits
      look: certificate <name> of <place>: digest old digest -> new digest
      look: certificate <name> of <place>: end of validity old not_after -> new not_after
      look: certificate <name> of <place>: subject old subject -> new subject
      harmless: certificate <name> of <place>: expired old expired -> new expired
    update_schedules (Update schedules)
      look: schedule of <content> of template <template>: gone
      look: schedule of <content> of template <template>: action old action -> new action
      look: schedule of <content> of template <template>: at old at -> new at
      look: schedule of <content> of template <template>: day old day -> new day
      look: schedule of <content> of template <template>: every old every -> new every
    scheduled_jobs (Scheduled jobs)
      look: <kind> <name> of <place>: gone
      look: <kind> <name> of <place>: time old at -> new at
      look: <kind> <name> of <place>: day old day -> new day
      look: <kind> <name> of <place>: every old every -> new every
      look: <kind> <name> of <place>: template old template -> new template
    external_lists (External dynamic lists)
      stop: external list <name> of <place>: gone
      look: external list <name> of <place>: hour old at -> new at
      look: external list <name> of <place>: authenticated old authenticated -> new authenticated
      look: external list <name> of <place>: certificate profile old certificate_profile -> new certificate_profile
      look: external list <name> of <place>: day old day -> new day
      look: external list <name> of <place>: every old every -> new every
      look: external list <name> of <place>: kind old kind -> new kind
      look: external list <name> of <place>: source old source -> new source
    aggregates (Aggregate interfaces)
      stop: aggregate <name>: gone
      look: aggregate <name>: lacp old lacp -> new lacp
      look: aggregate <name>: mode old mode -> new mode
      look: aggregate <name>: partner of LACP old partner -> new partner
      look: aggregate <name>: LACP on the passive member old pre_negotiation -> new pre_negotiation
      look: aggregate <name>: rate old rate -> new rate
    aggregates.members (Members of aggregates)
      stop: <interface> in <name>: gone
      look: <interface> in <name>: bundled old bundled -> new bundled
    transceivers.modules (Light of modules)
      look: module of <interface>: gone
      look: module of <interface>: light received in microwatts old received_microwatts -> new received_microwatts
      look: module of <interface>: light sent in microwatts old sent_microwatts -> new sent_microwatts
    external_list_contents (Contents of external lists)
      look: external list <name> of <place>: gone
      look: external list <name> of <place>: records left out old ignored -> new ignored
      look: external list <name> of <place>: invalid records old invalid -> new invalid
      look: external list <name> of <place>: records old records -> new records
    core_files (Core files)
      harmless: core file <directory>/<name>: gone
    log_forwarding (Log forwarding)
      look: log receiver <name>: gone
      look: log receiver <name>: connected old connected -> new connected
    log_targets (Logs to Panorama)
      look: log forwarding: gone
      look: log forwarding: to Panorama old to_panorama -> new to_panorama
    log_targets.profiles (Log targets)
      look: <kind> profile <name> of <place>: gone
      look: <kind> profile <name> of <place>: servers old servers -> new servers
      look: <kind> profile <name> of <place>: named by a match list old used -> new used
    globalprotect.portals (GlobalProtect portals)
      stop: GlobalProtect portal <name> of <place>: gone
    globalprotect.gateways (GlobalProtect gateways)
      stop: GlobalProtect gateway <name> of <place>: gone
    user_id_agents (User-ID agents)
      look: User-ID agent <name> of <vsys>: gone
      look: User-ID agent <name> of <vsys>: connected old connected -> new connected
      look: User-ID agent <name> of <vsys>: host old host -> new host
    management_certificate (Certificate of the management address)
      look: the certificate of the management address: gone
      look: the certificate of the management address: fingerprint old fingerprint -> new fingerprint
      harmless: the certificate of the management address: expired old expired -> new expired
      harmless: the certificate of the management address: end of validity old not_after -> new not_after
      harmless: the certificate of the management address: subject old subject -> new subject
    ");
}

#[test]
fn values_are_told_with_their_names_where_they_are_not_the_state() {
    let at = |metric: u64, accepted: u64, class: &str| {
        facts(|facts| {
            facts.routes = Fact::Known(vec![Route {
                metric: Some(metric),
                ..route("default", "10.0.0.0/8", "192.0.2.1")
            }]);
            facts.bgp_peers = Fact::Known(vec![with_prefixes("10.1.1.2", accepted)]);
            let optic = json!({"slot": 1, "port": 5, "interface": "ethernet1/5", "media": "SFP-Plus-Fiber",
                "vendor": "OEM", "part": "X", "serial": null, "class": class});
            facts.optics = Fact::Known(vec![serde_json::from_value(optic).unwrap()]);
            facts.jumbo_frames = Fact::Known(metric > 10);
        })
    };
    let (before, after) = (at(10, 900, "allowed"), at(20, 12, "unreadable"));
    insta::assert_snapshot!(told(&compared(&before, &after, None)), @r"
    stop: jumbo frames: no -> yes
    stop: ethernet1/5: class allowed -> unreadable
    look: route 10.0.0.0/8 of default to 192.0.2.1 through ethernet1/1: metric 10 -> 20
    stop: bgpAfiIpv4-unicast of BGP peer 10.1.1.2 of default: prefixes accepted 900 -> 12 (-98.6 %)
    ");
    // Back again, it is better than it was, or at least no worse.
    insta::assert_snapshot!(told(&compared(&after, &before, None)), @r"
    stop: jumbo frames: yes -> no
    harmless: ethernet1/5: class unreadable -> allowed
    look: route 10.0.0.0/8 of default to 192.0.2.1 through ethernet1/1: metric 20 -> 10
    look: bgpAfiIpv4-unicast of BGP peer 10.1.1.2 of default: prefixes accepted 12 -> 900 (+7400 %)
    ");
}
