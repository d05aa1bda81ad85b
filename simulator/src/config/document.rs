//! The configuration a device has as long as nobody edits it: made from its setup, its model and the seed.
//!
//! It holds private keys and password hashes on purpose: what reads configurations has to show that it keeps such
//! things to itself. None of them is one.

use crate::pair::Ha1;
use crate::setup::{Recurrence, ScheduleSpec, TimeOfDay};
use crate::state::Sight;
use crate::state::certificates::{epoch, moment};
use crate::state::interfaces::{Interface, Kind};
use crate::tree::Element;

/// Looks like a key and is none: the text in it says so.
const PRIVATE_KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
    U0lNVUxBVE9SLVBSSVZBVEUtS0VZLVRIQVQtTVVTVC1ORVZFUi1BUFBFQVItSU4tQS1MT0c=\n\
    -----END PRIVATE KEY-----";

const PHASH: &str = "$5$simulator$PASSWORD-HASH-THAT-MUST-NEVER-APPEAR-IN-A-LOG";

/// The certificate the configuration shows under a name, as an element.
pub(crate) fn certificate_element(certificate: &crate::state::certificates::Certificate) -> Element {
    Element::entry(&certificate.name).with_leaves(&[
        ("subject", &format!("/CN={}", certificate.common_name)),
        ("issuer", &format!("/CN={}", certificate.common_name)),
        ("not-valid-before", &moment(certificate.from)),
        ("common-name", &certificate.common_name),
        ("not-valid-after", &moment(certificate.until)),
        ("expiry-epoch", &epoch(certificate.until).to_string()),
        ("ca", "no"),
        ("algorithm", certificate.algorithm),
        ("public-key", &certificate.public_key),
        ("private-key", PRIVATE_KEY),
    ])
}

impl Sight<'_> {
    /// The whole configuration. `preemptive` is that of a member of a pair.
    pub(crate) fn document(&self, preemptive: Option<bool>) -> Element {
        let mut config = Element::new("config");
        let version = format!("{}.0", self.device.version().train());
        for (name, value) in [
            ("version", version.as_str()),
            ("urldb", "paloaltonetworks"),
            ("detail-version", &version),
        ] {
            config.attributes.push((name.to_owned(), value.to_owned()));
        }
        let device = Element::entry("localhost.localdomain")
            .with(self.deviceconfig(preemptive))
            .with(self.network())
            .with(Element::new("vsys").with(self.vsys()));
        config
            .with(self.users())
            .with(self.shared_objects())
            .with(Element::new("devices").with(device))
    }

    fn users(&self) -> Element {
        let user = |name: &str, role: &str| {
            let right = Element::new("role-based").with(Element::leaf(role, "yes"));
            Element::entry(name)
                .with(Element::leaf("phash", PHASH))
                .with(Element::new("permissions").with(right))
        };
        let more = self.setup().map_or(&[][..], |setup| &setup.administrators);
        let users = Element::new("users")
            .with(user(&self.world.credentials.user, "superuser"))
            .with_all(more.iter().map(|one| user(&one.user, one.role.shown())));
        Element::new("mgt-config").with(users)
    }

    fn shared_objects(&self) -> Element {
        let certificates = self.certificates();
        let certificates = certificates.iter().map(certificate_element);
        Element::new("shared")
            .with(Element::new("certificate").with_all(certificates))
            .with(Element::new("botnet").with(Element::leaf("report", "")))
    }

    fn deviceconfig(&self, preemptive: Option<bool>) -> Element {
        let jumbo = self.is_on(|setup| setup.jumbo_frame);
        let mut setting = Element::new("setting");
        if jumbo {
            let frame = Element::new("jumbo-frame").with(Element::leaf("mtu", "9192"));
            setting = setting.with(frame);
        }
        if self.is_advanced() {
            setting = setting.with(Element::leaf("advance-routing", "yes"));
        }
        let config = Element::new("deviceconfig")
            .with(self.system_settings())
            .with(setting);
        match preemptive {
            Some(preemptive) => config.with(high_availability(preemptive, self.device.ha1)),
            None => config,
        }
    }

    fn system_settings(&self) -> Element {
        let mut system = Element::new("system").with_leaves(&[
            ("hostname", &self.device.name),
            ("ip-address", &self.device.address.to_string()),
            ("netmask", "255.255.255.0"),
            ("default-gateway", "10.0.0.1"),
            ("timezone", "UTC"),
        ]);
        let names = ["primary-ntp-server", "secondary-ntp-server"];
        let servers = self.ntp_servers();
        let servers = names
            .iter()
            .zip(&servers)
            .map(|(name, server)| Element::new(name).with(Element::leaf("ntp-server-address", server)));
        system = system.with(Element::new("ntp-servers").with_all(servers));
        let panorama = self.panorama_servers();
        if !panorama.is_empty() {
            let names = ["panorama-server", "panorama-server-2"];
            let local = names
                .iter()
                .zip(panorama)
                .map(|(name, address)| Element::leaf(name, &address.to_string()));
            let local = Element::new("local-panorama").with_all(local);
            system = system.with(Element::new("panorama").with(local));
        }
        let exports = self.log_exports();
        if !exports.is_empty() {
            let exports = exports
                .iter()
                .zip(1..)
                .map(|(at, number)| log_export(number, *at));
            system = system.with(Element::new("log-export-schedule").with_all(exports));
        }
        let schedule = self.update_schedule();
        if schedule.is_empty() {
            return system;
        }
        let updates = schedule.iter().map(update);
        system.with(Element::new("update-schedule").with_all(updates))
    }

    fn network(&self) -> Element {
        Element::new("network")
            .with(self.interface_settings())
            .with(self.router_settings())
            .with(self.tunnel_settings())
    }

    fn interface_settings(&self) -> Element {
        let interfaces = self.interfaces();
        let used = |kind: Kind| {
            interfaces
                .iter()
                .filter(move |one| one.kind == kind && (one.address.is_some() || kind != Kind::Ethernet))
        };
        let units = |parent: &str| {
            let prefix = format!("{parent}.");
            let units = used(Kind::Subinterface).filter(|unit| unit.name.starts_with(&prefix));
            Element::new("units").with_all(units.map(|unit| {
                layer3(Element::entry(&unit.name), unit).with(Element::leaf("tag", &unit.tag.to_string()))
            }))
        };
        let ethernet = interfaces
            .iter()
            .filter(|one| one.kind == Kind::Ethernet && one.address.is_some())
            .map(|one| {
                let inner = layer3(Element::new("layer3"), one).with(units(&one.name));
                Element::entry(&one.name).with(inner)
            });
        let members = used(Kind::Member)
            .map(|one| Element::entry(&one.name).with(Element::leaf("aggregate-group", "ae1")));
        let plain = |name: &str, kind: Kind| {
            let units = used(kind).map(|one| layer3(Element::entry(&one.name), one));
            Element::new(name).with(Element::new("units").with_all(units))
        };
        let aggregate = used(Kind::Aggregate)
            .map(|one| Element::entry(&one.name).with(layer3(Element::new("layer3"), one)));
        Element::new("interface")
            .with(Element::new("ethernet").with_all(ethernet).with_all(members))
            .with(Element::new("aggregate-ethernet").with_all(aggregate))
            .with(plain("tunnel", Kind::Tunnel))
            .with(plain("loopback", Kind::Loopback))
    }

    fn router_settings(&self) -> Element {
        let interfaces = self.interfaces();
        let first = self.first_router();
        let routers = self.routers().into_iter().map(|router| {
            let members = interfaces
                .iter()
                .filter(|one| one.router == router && (one.address.is_some() || one.kind == Kind::Tunnel));
            let mut entry = Element::entry(&router)
                .with(Element::members(
                    "interface",
                    members.map(|one| one.name.as_str()),
                ))
                .with(self.bgp_settings(&router));
            if router == first {
                entry = entry.with(self.static_settings());
            }
            entry
        });
        let kind = if self.is_advanced() {
            "logical-router"
        } else {
            "virtual-router"
        };
        Element::new(kind).with_all(routers)
    }

    fn static_settings(&self) -> Element {
        let routes = self.static_routes();
        let routes = routes.iter().zip(0..).map(|((destination, nexthop), index)| {
            let name = if index == 0 {
                "default".to_owned()
            } else {
                format!("inside-{index}")
            };
            Element::entry(&name)
                .with(Element::new("nexthop").with(Element::leaf("ip-address", &nexthop.to_string())))
                .with(Element::leaf("destination", destination))
        });
        let table = Element::new("ip").with(Element::new("static-route").with_all(routes));
        Element::new("routing-table").with(table)
    }

    fn bgp_settings(&self, router: &str) -> Element {
        let peers: Vec<Element> = self
            .bgp_peers()
            .into_iter()
            .filter(|peer| peer.router == router)
            .map(|peer| {
                Element::entry(&peer.name)
                    .with(Element::leaf("peer-as", &peer.remote_as.to_string()))
                    .with(Element::new("peer-address").with(Element::leaf("ip", &peer.address.to_string())))
            })
            .collect();
        let enabled = if peers.is_empty() { "no" } else { "yes" };
        let group = Element::entry("upstream").with(Element::new("peer").with_all(peers));
        let bgp = Element::new("bgp")
            .with_leaves(&[("enable", enabled), ("local-as", &self.local_as().to_string())])
            .with(Element::new("peer-group").with(group));
        Element::new("protocol").with(bgp)
    }

    fn tunnel_settings(&self) -> Element {
        let tunnels = self.tunnels().into_iter().map(|tunnel| {
            let gateway = Element::entry(&format!("gw-{}", tunnel.gateway));
            Element::entry(&tunnel.name)
                .with(Element::leaf("tunnel-interface", &tunnel.inner))
                .with(Element::new("auto-key").with(Element::new("ike-gateway").with(gateway)))
        });
        Element::new("tunnel").with(Element::new("ipsec").with_all(tunnels))
    }

    fn vsys(&self) -> Element {
        let interfaces = self.interfaces();
        let zones = ["untrust", "trust", "dmz", "vpn"].into_iter().map(|zone| {
            let members = interfaces.iter().filter(|one| one.zone == zone);
            let members = Element::members("layer3", members.map(|one| one.name.as_str()));
            Element::entry(zone).with(Element::new("network").with(members))
        });
        let lists = self.external_lists().into_iter().map(|list| {
            let url = format!("https://lists.example.net/{}.txt", list.name);
            Element::entry(&list.name)
                .with(Element::new("type").with(Element::new("ip").with(Element::leaf("url", &url))))
        });
        let count = self.shared("rules", 0, 8, 40);
        let rules = (1..=count).map(|number| rule(&format!("rule-{number}")));
        let rules = Element::new("security").with(Element::new("rules").with_all(rules));
        Element::entry("vsys1")
            .with(Element::new("zone").with_all(zones))
            .with(Element::new("external-list").with_all(lists))
            .with(Element::new("rulebase").with(rules))
    }
}

fn layer3(element: Element, interface: &Interface) -> Element {
    let element = match interface.address {
        Some((address, prefix)) => {
            element.with(Element::new("ip").with(Element::entry(&format!("{address}/{prefix}"))))
        }
        None => element,
    };
    element.with(Element::leaf("mtu", &interface.mtu.to_string()))
}

fn rule(name: &str) -> Element {
    Element::entry(name)
        .with(Element::members("from", ["trust"]))
        .with(Element::members("to", ["untrust"]))
        .with(Element::members("source", ["any"]))
        .with(Element::members("destination", ["any"]))
        .with(Element::members("service", ["application-default"]))
        .with(Element::members("application", ["any"]))
        .with(Element::leaf("action", "allow"))
}

fn high_availability(preemptive: bool, ha1: Option<Ha1>) -> Element {
    let election = Element::new("election-option")
        .with(Element::leaf("preemptive", if preemptive { "yes" } else { "no" }));
    let mode = Element::new("mode").with(Element::new("active-passive"));
    let group = Element::new("group")
        .with(Element::leaf("group-id", "1"))
        .with_all(ha1.map(|ha1| Element::leaf("peer-ip", &ha1.peer.to_string())))
        .with(mode)
        .with(election);
    let link = ha1.map(|ha1| {
        let link = Element::new("ha1").with_leaves(&[
            ("port", "dedicated-ha1"),
            ("ip-address", &ha1.own.to_string()),
            ("netmask", "255.255.255.252"),
        ]);
        // The other host of the network of four.
        let [one, two, three, host] = ha1.own.octets();
        let gateway = ha1.routed.then(|| format!("{one}.{two}.{three}.{}", 3 - host));
        link.with_all(gateway.map(|gateway| Element::leaf("gateway", &gateway)))
    });
    Element::new("high-availability")
        .with(Element::leaf("enabled", "yes"))
        .with(Element::new("interface").with_all(link))
        .with(group)
}

fn log_export(number: usize, at: TimeOfDay) -> Element {
    let server = Element::new("scp").with_leaves(&[("hostname", "192.0.2.9"), ("username", "logs")]);
    Element::entry(&format!("export-{number}"))
        .with(Element::leaf("enable", "yes"))
        .with(Element::leaf("log-type", "traffic"))
        .with(Element::leaf("start-time", &at.to_string()))
        .with(Element::new("protocol").with(server))
}

fn update(schedule: &ScheduleSpec) -> Element {
    let mut recurrence = Element::new(schedule.every.shown());
    if let Some(day) = schedule
        .day
        .as_ref()
        .filter(|_| schedule.every == Recurrence::Weekly)
    {
        recurrence = recurrence.with(Element::leaf("day-of-week", day));
    }
    if let Some(at) = schedule.at {
        // Within an hour only the minute counts.
        let at = match schedule.every {
            Recurrence::Daily | Recurrence::Weekly => at.to_string(),
            _ => at.minute.to_string(),
        };
        recurrence = recurrence.with(Element::leaf("at", &at));
    }
    if schedule.every != Recurrence::None {
        recurrence = recurrence.with(Element::leaf("action", "download-and-install"));
    }
    Element::new(&schedule.update).with(Element::new("recurring").with(recurrence))
}
