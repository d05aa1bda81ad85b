//! What the device has from others: the time, lists, updates, users, Panorama, plugins.

use std::net::Ipv4Addr;

use super::Sight;
use super::tunnels::place;
use crate::area::Area;
use crate::setup::{ListSpec, PluginSpec, Recurrence, ScheduleSpec, TimeOfDay};

#[derive(Debug, Clone)]
pub(crate) struct RemoteUser {
    pub(crate) name: String,
    pub(crate) computer: String,
    pub(crate) inside: Ipv4Addr,
    pub(crate) outside: Ipv4Addr,
    /// Seconds since the login.
    pub(crate) since: i64,
}

#[derive(Debug, Clone)]
pub(crate) struct ExternalList {
    pub(crate) name: String,
    pub(crate) records: u32,
    /// Whether it was fetched since the boot.
    pub(crate) fetched: bool,
}

impl Sight<'_> {
    pub(crate) fn ntp_servers(&self) -> Vec<String> {
        self.given(|setup| setup.ntp_servers.clone())
            .unwrap_or_else(|| vec!["ntp1.example.net".to_owned(), "ntp2.example.net".to_owned()])
    }

    pub(crate) fn globalprotect_count(&self) -> u64 {
        let given = self.given(|setup| setup.globalprotect_users);
        self.count(given, "globalprotect", [(0, 6), (5, 25), (20, 80)])
    }

    /// Who is logged in. After a boot they come back one by one.
    pub(crate) fn remote_users(&self) -> Vec<RemoteUser> {
        (0..self.globalprotect_count())
            .filter_map(|index| {
                let back = self.member_back_for(Area::GlobalProtect, "globalprotect user", index, 300)?;
                let login = self.own("globalprotect login", index, 60, 10 * 3600);
                let host = u8::try_from(index % 250 + 2).unwrap_or(2);
                let round = u8::try_from(index / 250).unwrap_or(u8::MAX);
                Some(RemoteUser {
                    name: format!("{}.user{}", place(index), index + 1),
                    computer: format!("LT-{:05}", self.shared("computer", index, 100, 99_999)),
                    inside: Ipv4Addr::new(10, 253, round, host),
                    outside: Ipv4Addr::new(192, 0, 2, self.octet("user outside", index, 1, 254)),
                    since: back.min(i64::try_from(login).unwrap_or(back)),
                })
            })
            .collect()
    }

    pub(crate) fn external_lists(&self) -> Vec<ExternalList> {
        let seeded = || {
            (0..self.shared("external lists", 0, 1, 3))
                .map(|index| ListSpec {
                    name: format!("block-{}", place(index)),
                    records: u32::try_from(self.shared("records", index, 40, 4000)).unwrap_or(40),
                })
                .collect()
        };
        let given = self.given(|setup| setup.external_lists.clone());
        let lists: Vec<ListSpec> = given.unwrap_or_else(seeded);
        lists
            .into_iter()
            .zip(0..)
            .map(|(list, index)| ExternalList {
                fetched: self
                    .member_back_for(Area::Edl, "external list", index, 120)
                    .is_some(),
                name: list.name,
                records: list.records,
            })
            .collect()
    }

    /// When updates are looked for. Where nobody says otherwise: on a working day around noon, so that no change
    /// window has one by chance.
    pub(crate) fn update_schedule(&self) -> Vec<ScheduleSpec> {
        self.given(|setup| setup.update_schedule.clone())
            .unwrap_or_else(|| {
                const DAYS: [&str; 4] = ["tuesday", "wednesday", "thursday", "friday"];
                let day = usize::from(self.octet("update day", 0, 0, 3));
                let at = TimeOfDay {
                    hour: self.octet("update hour", 0, 11, 14),
                    minute: self.octet("update minute", 0, 0, 59),
                };
                vec![ScheduleSpec {
                    update: "threats".to_owned(),
                    every: Recurrence::Weekly,
                    at: Some(at),
                    day: DAYS.get(day).map(|day| (*day).to_owned()),
                }]
            })
    }

    pub(crate) fn log_exports(&self) -> &[TimeOfDay] {
        self.setup().map_or(&[], |setup| &setup.log_exports)
    }

    pub(crate) fn panorama_servers(&self) -> &[Ipv4Addr] {
        self.setup().map_or(&[], |setup| &setup.panorama)
    }

    pub(crate) fn plugins(&self) -> Vec<PluginSpec> {
        self.given(|setup| setup.plugins.clone()).unwrap_or_else(|| {
            let series = [("11.1", "4.0.3-h1"), ("10.2", "3.0.6"), ("10.0", "2.1.6")];
            let version = series.iter().find(|(train, _)| self.is_since(train));
            version
                .filter(|_| self.is_virtual())
                .map(|(_, version)| PluginSpec {
                    name: "vm_series".to_owned(),
                    version: (*version).to_owned(),
                    installed: true,
                })
                .into_iter()
                .collect()
        })
    }

    /// Memory of the management plane in megabytes: all of it, and what is in use.
    pub(crate) fn memory(&self) -> (u64, u64) {
        let total = self
            .given(|setup| setup.memory_mb)
            .map_or_else(|| self.scale().pick(7900, 15_900, 31_800), u64::from);
        let share = self
            .given(|setup| setup.memory_used_percent)
            .map_or_else(|| self.own("memory", 0, 38, 62), u64::from);
        (total, total * share / 100)
    }

    pub(crate) fn management_cpu(&self) -> u64 {
        let given = self.given(|setup| setup.management_cpu_percent);
        given.map_or_else(|| self.own("management cpu", 0, 2, 14), u64::from)
    }

    /// Load of a dataplane core over one period, `index` periods ago.
    pub(crate) fn dataplane_cpu(&self, core: u64, index: u64) -> u64 {
        if !self.device.dataplane_up() {
            return 0;
        }
        let given = self.given(|setup| setup.dataplane_cpu_percent);
        given.map_or_else(
            || self.own("dataplane cpu", 0, 3, 24) + self.own("core", core * 64 + index, 0, 3),
            u64::from,
        )
    }
}
