//! Which reader fills which area from which replies.
//! Knows the areas and the readers; must not know how a question is put, or any reply's shape.

use std::collections::{BTreeMap, BTreeSet};

use hopgate_paths::Train;
use hopgate_playbooks::{Fact, FactArea, Facts, LockKind, Redistribution, UserId};

use super::{Sheet, both, expected, ports_expected};
use crate::error::Failure;
use crate::features::{self, Evidence};
use crate::question::{INTEGRITY_EVENTS, LINK_CHANGES, Question as Q, SYSLOG_CONNECTIONS};
use crate::xml::{Node, Raw};
use crate::{
    advanced_peers, aggregates, configuration, crashes, disk, entitlement, ha, health, interfaces, jobs,
    link_changes, lists, load, optics, receivers, routing, scheduled_jobs, schedules, services, software,
    swm, syslog, system, system_log, transceivers,
};

/// The first feature release with redistribution as it is asked about (PAN-OS 10.0 new features, "Data Redistribution").
const REDISTRIBUTION_CAME: Train = Train { major: 10, minor: 0 };

/// Which engine fills a table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Engine {
    Legacy,
    Advanced,
}

impl Sheet<'_> {
    /// Fills every wanted area.
    pub(super) fn fill(&self, facts: &mut Facts) {
        self.fill_device(facts);
        self.fill_health(facts);
        self.fill_configuration(facts);
        self.fill_traffic(facts);
    }

    /// Writes an area if it is wanted. Questions of other areas may have been answered all the same.
    fn put<T>(&self, area: FactArea, place: &mut Fact<T>, read: impl FnOnce() -> Fact<T>) {
        if self.wanted.contains(&area) {
            *place = read();
        }
    }

    fn fill_device(&self, facts: &mut Facts) {
        use FactArea as A;
        self.put(A::System, &mut facts.system, || {
            self.tree(Q::SystemInfo, system::info)
        });
        self.put(A::Identity, &mut facts.identity, || {
            self.tree(Q::SystemInfo, system::identity)
        });
        self.put(
            A::ManagementCertificate,
            &mut facts.management_certificate,
            || self.management_certificate(),
        );
        self.put(A::Software, &mut facts.software, || {
            self.tree(Q::SoftwareInfo, software::images)
        });
        self.put(A::Partitions, &mut facts.partitions, || {
            self.tree(Q::SoftwareManager, swm::partitions)
        });
        self.put(A::Content, &mut facts.content, || {
            self.tree(Q::ContentInfo, entitlement::content)
        });
        self.put(A::Licences, &mut facts.licences, || {
            self.tree(Q::Licences, entitlement::licences)
        });
        self.put(A::Support, &mut facts.support, || {
            self.tree(Q::Support, entitlement::support)
        });
        self.put(A::UpdateServer, &mut facts.update_server, || self.update_server());
        self.put(A::Plugins, &mut facts.plugins, || {
            self.tree(Q::Plugins, entitlement::plugins)
        });
        self.put(A::Ha, &mut facts.ha, || self.tree(Q::HaState, ha::state));
        self.put(A::HaLinks, &mut facts.ha_links, || {
            self.tree(Q::HaState, ha::links)
        });
        self.put(A::Optics, &mut facts.optics, || {
            let model = facts.system.known().map(|system| system.model.as_str());
            ports_expected(self.tree(Q::Optics, optics::optics), model)
        });
        self.put(A::Interfaces, &mut facts.interfaces, || {
            self.tree(Q::Interfaces, interfaces::interfaces)
        });
        self.put(A::Aggregates, &mut facts.aggregates, || {
            self.tree(Q::Aggregates, aggregates::aggregates)
        });
        self.put(A::Transceivers, &mut facts.transceivers, || {
            let system = self.tree(Q::SystemInfo, system::info);
            self.raw(Q::Transceivers, |raw| {
                transceivers::transceivers(raw, system.known())
            })
        });
        self.put(A::InterfaceCounters, &mut facts.interface_counters, || {
            self.tree(Q::InterfaceCounters, interfaces::counters)
        });
        self.put(A::Mtus, &mut facts.mtus, || self.tree(Q::Mtus, interfaces::mtus));
        self.put(A::JumboFrames, &mut facts.jumbo_frames, || {
            self.tree(Q::JumboFrames, system::on_or_off)
        });
        self.put(A::IntegrityEvents, &mut facts.integrity_events, || {
            self.tree(Q::IntegrityEvents, |result| {
                system_log::events(result, usize::from(INTEGRITY_EVENTS))
            })
        });
        self.put(A::LinkChanges, &mut facts.link_changes, || {
            self.tree(Q::LinkChanges, |result| {
                link_changes::link_changes(result, usize::from(LINK_CHANGES))
            })
        });
    }

    fn fill_health(&self, facts: &mut Facts) {
        use FactArea as A;
        self.put(A::Jobs, &mut facts.jobs, || self.tree(Q::Jobs, jobs::list));
        self.put(A::Disks, &mut facts.disks, || {
            self.tree(Q::DiskSpace, disk::disks)
        });
        self.put(A::Memory, &mut facts.memory, || {
            self.tree(Q::Resources, load::memory)
        });
        self.put(A::ManagementCpu, &mut facts.management_cpu, || {
            self.tree(Q::ManagementCpu, load::management)
        });
        self.put(A::DataplaneCpu, &mut facts.dataplane_cpu, || {
            self.tree(Q::DataplaneCpu, load::dataplanes)
        });
        self.put(A::Environment, &mut facts.environment, || {
            let system = self.tree(Q::SystemInfo, system::info);
            let model = system.known().map(|system| system.model.as_str());
            expected(self.tree(Q::Environment, health::sensors), model, "sensors")
        });
        self.put(A::Processes, &mut facts.processes, || {
            self.tree(Q::Processes, health::processes)
        });
        self.put(A::CoreFiles, &mut facts.core_files, || {
            self.tree(Q::SystemFiles, crashes::core_files)
        });
        self.put(A::Clocks, &mut facts.clocks, || {
            both(
                self.tree(Q::Clock, health::management_clock),
                self.tree(Q::DataplaneClock, health::dataplane_clocks),
                health::clocks,
            )
        });
        self.put(A::Ntp, &mut facts.ntp, || self.tree(Q::Ntp, health::ntp));
    }

    fn fill_configuration(&self, facts: &mut Facts) {
        use FactArea as A;
        let locks = || {
            let of = |kind| move |result: &Node| system::locks(result, kind);
            both(
                self.tree(Q::ConfigLocks, of(LockKind::Configuration)),
                self.tree(Q::CommitLocks, of(LockKind::Commit)),
                |mut locks, commit| {
                    locks.extend(commit);
                    locks
                },
            )
        };
        self.put(A::HeldLocks, &mut facts.held_locks, locks);
        self.put(A::Locks, &mut facts.locks, || match locks() {
            Fact::Known(locks) => Fact::Known(locks.iter().map(system::lock_in_words).collect()),
            Fact::Unknown(reason) => Fact::Unknown(reason),
        });
        self.put(A::PendingChanges, &mut facts.pending_changes, || {
            self.tree(Q::PendingChanges, system::yes_or_no)
        });
        self.put(A::FullCommitRequired, &mut facts.full_commit_required, || {
            self.tree(Q::FullCommit, system::yes_or_no)
        });
        self.put(A::Configuration, &mut facts.configuration, || {
            self.configuration(|found| found.shape())
        });
        self.put(A::Certificates, &mut facts.certificates, || {
            self.configuration(|found| found.certificates(self.now))
        });
        self.put(A::ExternalLists, &mut facts.external_lists, || {
            self.configuration(|found| found.lists())
        });
        self.put(A::LogTargets, &mut facts.log_targets, || {
            self.configuration(|found| found.log_targets())
        });
        self.put(A::Globalprotect, &mut facts.globalprotect, || {
            self.configuration(|found| found.globalprotect.clone())
        });
        self.put(A::ExternalListContents, &mut facts.external_list_contents, || {
            self.list_contents()
        });
        self.put(
            A::ExternalListCapacities,
            &mut facts.external_list_capacities,
            || self.tree(Q::ListCapacities, lists::capacities),
        );
        self.put(A::UpdateSchedules, &mut facts.update_schedules, || {
            self.raw(Q::UpdateSchedules, |raw| match raw.result() {
                Ok(result) => schedules::schedules(&result),
                // Nothing is scheduled: the object is not present.
                Err(Failure::Rejected { code: Some(7), .. }) => Ok(Vec::new()),
                Err(failure) => Err(failure),
            })
        });
        self.put(A::ScheduledJobs, &mut facts.scheduled_jobs, || {
            let timetable = self.tree(Q::DeviceSettings, scheduled_jobs::timetable);
            let found = self.configuration(|found| (found.lists(), found.report_mails.clone()));
            let system = self.tree(Q::SystemInfo, system::info);
            let told = both(timetable, found, |timetable, found| (timetable, found));
            both(told, system, |(timetable, (lists, mails)), system| {
                scheduled_jobs::jobs(timetable, lists, &mails, system.sw_version)
            })
        });
        self.put(A::Features, &mut facts.features, || {
            Fact::Known(features::features(&self.evidence()))
        });
    }

    fn evidence(&self) -> Evidence {
        let certificates = self.configuration(|found| found.certificates(self.now));
        let suspects = features::suspects(certificates.known().map_or(&[], Vec::as_slice));
        let used_suspects = match &certificates {
            Fact::Known(_) if suspects.is_empty() => Fact::Known(BTreeSet::new()),
            Fact::Known(_) => self.raw(Q::Configuration, |raw| {
                Ok(configuration::named_elsewhere(
                    raw,
                    suspects.iter().map(String::as_str),
                ))
            }),
            Fact::Unknown(reason) => Fact::Unknown(reason.clone()),
        };
        Evidence {
            system: self.tree(Q::SystemInfo, system::info),
            identity: self.tree(Q::SystemInfo, system::identity),
            plugin_versions: self.tree(Q::SystemInfo, |result| Ok(system::plugin_versions(result))),
            ha: self.tree(Q::HaState, ha::state),
            disks: self.tree(Q::DiskSpace, disk::rows),
            memory: self.tree(Q::Resources, load::memory),
            configuration: self.configuration(Clone::clone),
            certificates,
            used_suspects,
            panorama: self.tree(Q::Panorama, services::panorama),
            plugins: self.tree(Q::Plugins, entitlement::plugins),
            default_master_key: self.tree(Q::MasterKey, features::default_master_key),
            chassis: self.tree(Q::ChassisInventory, |result| Ok(features::whole_text(result))),
            reserved_space: self.tree(Q::DiskHealth, features::reserved_space),
        }
    }

    fn fill_traffic(&self, facts: &mut Facts) {
        use FactArea as A;
        self.put(A::Routes, &mut facts.routes, || {
            self.table(Engine::Legacy, Q::Routes, routing::routes)
        });
        self.put(A::Fib, &mut facts.fib, || {
            self.table(Engine::Legacy, Q::Fib, routing::fib)
        });
        self.put(A::BgpPeers, &mut facts.bgp_peers, || {
            let legacy = || self.raw(Q::BgpPeers, routing::bgp_peers);
            self.of_either(legacy, || {
                self.tree(Q::AdvancedBgpPeers, advanced_peers::bgp_peers)
            })
        });
        self.put(A::OspfNeighbours, &mut facts.ospf_neighbours, || {
            let legacy = || self.raw(Q::OspfNeighbours, routing::ospf_neighbours);
            self.of_either(legacy, || {
                self.tree(Q::AdvancedOspfNeighbours, advanced_peers::ospf_neighbours)
            })
        });
        self.put(A::AdvancedRoutes, &mut facts.advanced_routes, || {
            let read = |raw: Raw<'_>| raw.result().and_then(|result| routing::advanced_routes(&result));
            self.table(Engine::Advanced, Q::AdvancedRoutes, read)
        });
        self.put(A::AdvancedFib, &mut facts.advanced_fib, || {
            self.table(Engine::Advanced, Q::AdvancedFib, routing::fib)
        });
        self.put(A::Arp, &mut facts.arp, || self.raw(Q::Arp, routing::arp));
        self.put(A::IpsecTunnels, &mut facts.ipsec_tunnels, || {
            self.raw(Q::Tunnels, services::tunnels)
        });
        self.put(A::GlobalprotectUsers, &mut facts.globalprotect_users, || {
            self.raw(Q::GlobalProtect, services::globalprotect_users)
        });
        self.put(A::Sessions, &mut facts.sessions, || {
            self.tree(Q::Sessions, services::sessions)
        });
        self.put(A::Panorama, &mut facts.panorama, || {
            self.tree(Q::Panorama, services::panorama)
        });
        self.put(A::LogForwarding, &mut facts.log_forwarding, || {
            self.tree(Q::LoggingStatus, receivers::log_receivers)
        });
        self.put(A::SyslogConnections, &mut facts.syslog_connections, || {
            self.tree(Q::SyslogConnections, |result| {
                syslog::connections(result, usize::from(SYSLOG_CONNECTIONS))
            })
        });
        self.put(A::UserIdAgents, &mut facts.user_id_agents, || {
            self.tree(Q::UserIdAgents, receivers::user_id_agents)
        });
        self.put(A::UserId, &mut facts.user_id, || {
            self.tree(Q::UserId, |result| {
                services::user_id_service(result).map(|service_up| UserId { service_up })
            })
        });
        self.put(A::Redistribution, &mut facts.redistribution, || {
            both(
                self.redistributed(Q::RedistributionClients),
                self.redistributed(Q::RedistributionAgents),
                |clients, agents| Redistribution { clients, agents },
            )
        });
    }

    /// Who takes part in redistribution. It came with 10.0, as did the commands: a release before it that does not know them
    /// redistributes nothing, and what its User-ID service does is another area.
    fn redistributed(&self, question: Q) -> Fact<Vec<BTreeMap<String, String>>> {
        let system = self.tree(Q::SystemInfo, system::info);
        let system = system.known();
        let before = system.is_some_and(|system| system.sw_version.train() < REDISTRIBUTION_CAME);
        self.raw(question, |raw| match raw.result() {
            Err(Failure::Rejected { code: Some(17), .. }) if before => Ok(Vec::new()),
            result => result.map(|result| services::redistribution(&result)),
        })
    }

    /// A table of one routing engine. The engine that is off answers with an empty table, which must not be taken for a
    /// device without routes.
    fn table<T>(
        &self,
        of: Engine,
        question: Q,
        read: impl Fn(Raw<'_>) -> Result<Vec<T>, Failure>,
    ) -> Fact<Vec<T>> {
        match (of, self.runs_advanced_routing()) {
            (_, Err(reason)) => Fact::Unknown(reason),
            (Engine::Legacy, Ok(true)) => {
                Fact::Unknown("the advanced routing engine is on; its tables are others".into())
            }
            (Engine::Advanced, Ok(false)) => Fact::Unknown("the advanced routing engine is off".into()),
            (Engine::Legacy, Ok(false)) | (Engine::Advanced, Ok(true)) => self.raw(question, read),
        }
    }

    /// Peers look alike whichever engine has them: those of the one that runs.
    fn of_either<T>(
        &self,
        legacy: impl FnOnce() -> Fact<Vec<T>>,
        advanced: impl FnOnce() -> Fact<Vec<T>>,
    ) -> Fact<Vec<T>> {
        match self.runs_advanced_routing() {
            Ok(true) => advanced(),
            Ok(false) => legacy(),
            Err(reason) => Fact::Unknown(reason),
        }
    }

    /// Before 10.2 there is one engine, and nothing is said of the other.
    pub(super) fn runs_advanced_routing(&self) -> Result<bool, String> {
        match self.tree(Q::SystemInfo, system::identity) {
            Fact::Known(identity) => Ok(identity.advanced_routing.unwrap_or(false)),
            Fact::Unknown(reason) => Err(format!("which routing engine runs is not known: {reason}")),
        }
    }
}
