//! Faults of downloads, installs, content, disks and the update server, as a client sees them.

use panos_simulator::{ControlRequest, Mount};

use crate::probe::{between, job_id, wait};
use crate::watch::{Watch, ill, ill_pair};

const CHECK: &str = "<request><system><software><check/></software></system></request>";
const INFO: &str = "<request><system><software><info/></software></system></request>";
const DISKS: &str = "<show><system><disk-space/></system></show>";

fn cure() -> ControlRequest {
    ControlRequest::Cure {
        device: "fw".into(),
        rule: None,
    }
}

impl Watch {
    /// Asks, and notes the line that answers.
    async fn ask(&mut self, what: &str, command: &str) {
        let reply = self.probe.body(command).await;
        let line = match reply.matches("<entry>").count() {
            0 => between(&reply, "<line>", "</line>").to_owned(),
            entries => format!("{entries} entries"),
        };
        self.note(&format!("{what}: {line}"));
    }

    async fn content(&mut self) {
        let latest =
            "<request><content><upgrade><download><latest/></download></upgrade></content></request>";
        let job = job_id(&self.probe.body(latest).await);
        let end = self.probe.finish(job).await;
        self.note(&format!("content download: {end}"));
        let install = "<request><content><upgrade><install><version>latest</version></install></upgrade></content></request>";
        let reply = self.probe.body(install).await;
        if !reply.contains("<job>") {
            return self.note(&format!(
                "content install: {}",
                between(&reply, "<line>", "</line>")
            ));
        }
        let end = self.probe.finish(job_id(&reply)).await;
        self.note(&format!("content install: {end}"));
    }

    async fn disks(&mut self) {
        let table = self.probe.body(DISKS).await;
        let full: Vec<&str> = table.lines().filter(|line| line.contains(" 100% ")).collect();
        self.note(&format!("full: {}", full.join("; ")));
    }
}

#[tokio::test(start_paused = true)]
async fn root_disk_full() {
    let fleet = ill("root-disk-full", "PA-220", "10.2.4", ", images: [10.2.7]");
    let mut watch = Watch::on(&fleet, "fw").await;
    watch.disks().await;
    wait(45 * 60).await;
    watch.disks().await;
    watch.download("10.2.9").await;
    watch.install("10.2.7").await;
    watch.control(ControlRequest::FullPartition {
        device: "fw".into(),
        mount: Mount::Root,
        full: false,
    });
    watch.disks().await;
    watch.install("10.2.7").await;
    insta::assert_snapshot!(watch.table(), @r#"
    0:00 -- full:
    0:45 -- full: /dev/root        6.9G  6.9G     0 100% /
    0:45 -- download 10.2.9: FAIL |  No space left on device: /
    0:45 -- install 10.2.7: FAIL |  No space left on device: /
    0:45 -- control {"full_partition":{"device":"fw","mount":"root","full":false}}
    0:45 -- full:
    1:18 -- install 10.2.7: OK |  Software installation of version 10.2.7 successfully completed. Please reboot to switch to it.
    "#);
}

#[tokio::test(start_paused = true)]
async fn root_disk_leaves_ha() {
    let fleet = ill_pair("root-disk-leaves-ha", "PA-3220", "10.2.9", "");
    let mut watch = Watch::on(&fleet, "a").await;
    watch.minutes(60, 10).await;
    watch.control(ControlRequest::FullPartition {
        device: "a".into(),
        mount: Mount::Root,
        full: false,
    });
    watch.minutes(10, 10).await;
    insta::assert_snapshot!(watch.table(), @r#"
    0:00 icmp 22  443  200 10.2.9     AutoCom 1 OK   yes up 70d     active
    0:44 icmp 22  443  200 10.2.9     AutoCom 1 OK   yes up 70d     non-functional (Root partition is full)
    1:00 -- control {"full_partition":{"device":"a","mount":"root","full":false}}
    1:00 icmp 22  443  200 10.2.9     AutoCom 1 OK   yes up 70d     initial
    1:00 icmp 22  443  200 10.2.9     AutoCom 1 OK   yes up 70d     active
    "#);
}

#[tokio::test(start_paused = true)]
async fn configuration_disk_full() {
    let fleet = ill("configuration-disk-full", "PA-850", "10.2.9", "");
    let mut watch = Watch::on(&fleet, "fw").await;
    watch.disks().await;
    watch.content().await;
    watch.control(cure());
    watch.content().await;
    insta::assert_snapshot!(watch.table(), @r#"
    0:00 -- full: /dev/sda5         15G   15G     0 100% /opt/pancfg
    0:00 -- content download: OK |  Successfully downloaded
    0:03 -- content install: FAIL |  No space left on device: /opt/pancfg
    0:03 -- control {"cure":{"device":"fw","rule":null}}
    0:04 -- content download: OK |  Successfully downloaded
    0:06 -- content install: OK |  Configuration committed successfully
    "#);
}

#[tokio::test(start_paused = true)]
async fn content_minimum() {
    let fleet = crate::probe::fleet(
        "devices: [{name: fw, model: PA-850, version: 10.1.14, content: 9010-9000, images: [10.2.0]}]\n\
         faults: [content-minimum]\n",
    );
    let mut watch = Watch::on(&fleet, "fw").await;
    watch.install("10.2.0").await;
    watch.content().await;
    watch.install("10.2.0").await;
    insta::assert_snapshot!(watch.table(), @r#"
    0:00 -- install 10.2.0: FAIL |  Error: Upgrading from 10.1.14 to 10.2.0 requires a content version of 9030 or greater and found 9010-9000.
    0:01 -- content download: OK |  Successfully downloaded
    0:03 -- content install: OK |  Configuration committed successfully
    0:19 -- install 10.2.0: OK |  Software installation of version 10.2.0 successfully completed. Please reboot to switch to it.
    "#);
}

#[tokio::test(start_paused = true)]
async fn base_image_lost() {
    let fleet = ill("base-image-lost", "PA-850", "10.2.4", "");
    let mut watch = Watch::on(&fleet, "fw").await;
    watch.download("10.2.9").await;
    watch.download("10.2.0").await;
    watch.install("10.2.9").await;
    watch.download("10.2.9").await;
    watch.install("10.2.9").await;
    insta::assert_snapshot!(watch.table(), @r#"
    0:05 -- download 10.2.9: FAIL |  The required '10.2.0' base image must be loaded before this image can be loaded. You do not have to install or run the base image, only download it. Once the base is loaded, re-download your target image.
    0:12 -- download 10.2.0: OK |  Successfully downloaded |  Preloading into software manager |  Successfully loaded into software manager
    0:12 -- install 10.2.9: Version 10.2.9 has not been downloaded
    0:16 -- download 10.2.9: OK |  Successfully downloaded |  Preloading into software manager |  Successfully loaded into software manager
    0:35 -- install 10.2.9: OK |  Software installation of version 10.2.9 successfully completed. Please reboot to switch to it.
    "#);
}

#[tokio::test(start_paused = true)]
async fn software_manager_busy() {
    let fleet = ill("software-manager-busy", "PA-410", "10.1.14", ", images: [10.2.0]");
    let mut watch = Watch::on(&fleet, "fw").await;
    watch.restart().await;
    watch.probe.back().await;
    watch.install("10.2.0").await;
    wait(200).await;
    watch.download("10.2.4").await;
    watch.install("10.2.4").await;
    wait(60).await;
    watch.install("10.2.4").await;
    insta::assert_snapshot!(watch.table(), @r#"
    0:00 -- restart
    0:11 -- install 10.2.0: FAIL |  Failed to install 10.2.0 with the following errors. |  SW version is 10.2.0 |  The software manager is currently in use. Please try again later. |  Failed to install   version  10.2.0  type  panos
    0:19 -- download 10.2.4: OK |  Successfully downloaded |  Preloading into software manager |  Successfully loaded into software manager
    0:19 -- install 10.2.4: FAIL |  Failed to install 10.2.4 with the following errors. |  SW version is 10.2.4 |  The software manager is currently in use. Please try again later. |  Failed to install   version  10.2.4  type  panos
    0:36 -- install 10.2.4: OK |  Software installation of version 10.2.4 successfully completed. Please reboot to switch to it.
    "#);
}

#[tokio::test(start_paused = true)]
async fn download_stalls() {
    let fleet = ill("download-stalls", "PA-850", "10.2.4", "");
    let mut watch = Watch::on(&fleet, "fw").await;
    let job = job_id(&watch.probe.software("download", "10.2.9").await);
    for minutes in [1, 1, 1, 1, 60, 1440] {
        wait(minutes * 60).await;
        let seen = watch.probe.job(job).await;
        let value = |name: &str| between(&seen, &format!("<{name}>"), &format!("</{name}>")).to_owned();
        watch.note(&format!("{} {} %", value("status"), value("progress")));
    }
    watch.install("10.2.9").await;
    watch.restart().await;
    watch.minutes(25, 10).await;
    insta::assert_snapshot!(watch.table(), @r#"
     0:01 -- ACT 34 %
     0:02 -- ACT 68 %
     0:03 -- ACT 0 %
     0:04 -- ACT 0 %
     1:04 -- ACT 0 %
    25:04 -- ACT 0 %
    25:04 -- install 10.2.9: Version 10.2.9 has not been downloaded
    25:04 -- restart
    25:04 icmp 22  443  200 10.2.4     AutoCom 1 OK   yes up 69d
    25:05 icmp -   -    reset
    25:05 -    -   -    refused
    25:11 icmp 22  -    refused
    25:12 icmp 22  443  403
    25:13 icmp 22  443  503
    25:14 icmp 22  443  200 10.2.4     AutoCom 1 ACT  no  up 0:02
    25:21 icmp 22  443  200 10.2.4     AutoCom 1 OK   yes up 0:10
    "#);
}

#[tokio::test(start_paused = true)]
async fn download_times_out() {
    let fleet = ill("download-times-out", "PA-850", "10.2.4", "");
    let mut watch = Watch::on(&fleet, "fw").await;
    watch.download("10.2.9").await;
    watch.control(cure());
    watch.download("10.2.9").await;
    insta::assert_snapshot!(watch.table(), @r#"
    1:00 -- download 10.2.9: FAIL |  Download terminated due to timeout
    1:00 -- control {"cure":{"device":"fw","rule":null}}
    1:04 -- download 10.2.9: OK |  Successfully downloaded |  Preloading into software manager |  Successfully loaded into software manager
    "#);
}

#[tokio::test(start_paused = true)]
async fn corrupt_image() {
    let fleet = ill("corrupt-image", "PA-850", "10.2.4", "");
    let mut watch = Watch::on(&fleet, "fw").await;
    watch.download("10.2.9").await;
    watch.install("10.2.9").await;
    watch.download("10.2.9").await;
    watch.install("10.2.9").await;
    insta::assert_snapshot!(watch.table(), @r#"
    0:05 -- download 10.2.9: FAIL |  Image authentication error. Failed to load into PAN software manager.
    0:05 -- install 10.2.9: Version 10.2.9 has not been downloaded
    0:09 -- download 10.2.9: OK |  Successfully downloaded |  Preloading into software manager |  Successfully loaded into software manager
    0:26 -- install 10.2.9: OK |  Software installation of version 10.2.9 successfully completed. Please reboot to switch to it.
    "#);
}

#[tokio::test(start_paused = true)]
async fn clock_wrong() {
    let fleet = ill("clock-wrong", "PA-850", "10.2.4", "");
    let mut watch = Watch::on(&fleet, "fw").await;
    let clock = watch.probe.body("<show><clock/></show>").await;
    watch.note(between(&clock, "<result>", "</result>"));
    watch.download("10.2.9").await;
    watch.control(cure());
    let clock = watch.probe.body("<show><clock/></show>").await;
    watch.note(between(&clock, "<result>", "</result>"));
    watch.download("10.2.9").await;
    insta::assert_snapshot!(watch.table(), @r#"
    0:00 -- Sat Jan 25 22:00:00 UTC 2025
    0:05 -- download 10.2.9: FAIL |  Decrypt failed: GnuPG edit non-zero, with code 171072 Failed to load into PAN software manager.
    0:05 -- control {"cure":{"device":"fw","rule":null}}
    0:05 -- Sun Mar  1 22:05:02 UTC 2026
    0:09 -- download 10.2.9: OK |  Successfully downloaded |  Preloading into software manager |  Successfully loaded into software manager
    "#);
}

#[tokio::test(start_paused = true)]
async fn update_server_unreachable() {
    let fleet = ill("update-server-unreachable", "PA-850", "10.2.4", "");
    let mut watch = Watch::on(&fleet, "fw").await;
    watch.ask("check", CHECK).await;
    watch.ask("info", INFO).await;
    watch.download("10.2.9").await;
    watch.content().await;
    insta::assert_snapshot!(watch.table(), @r#"
    0:00 -- check: Failed to check upgrade info due to Unknown error. Please check network connectivity and try again.
    0:00 -- info: 111 entries
    0:00 -- download 10.2.9: FAIL |  Failed to download due to Unknown error. Please check network connectivity and try again.
    0:01 -- content download: FAIL |  Failed to download due to Unknown error. Please check network connectivity and try again.
    0:01 -- content install: Content 9050-9800 has not been downloaded
    "#);
}

#[tokio::test(start_paused = true)]
async fn support_expired() {
    let fleet = ill("support-expired", "PA-850", "10.2.4", "");
    let mut watch = Watch::on(&fleet, "fw").await;
    watch.ask("check", CHECK).await;
    watch.ask("info", INFO).await;
    watch.download("10.2.9").await;
    watch.control(cure());
    watch.ask("check", CHECK).await;
    watch.download("10.2.9").await;
    insta::assert_snapshot!(watch.table(), @r#"
    0:00 -- check: 2 entries
    0:00 -- info: 2 entries
    0:00 -- download 10.2.9: FAIL |  Failed to download: no valid support license
    0:00 -- control {"cure":{"device":"fw","rule":null}}
    0:00 -- check: 111 entries
    0:05 -- download 10.2.9: OK |  Successfully downloaded |  Preloading into software manager |  Successfully loaded into software manager
    "#);
}

/// Two failed installs, and the trap behind them: a restart boots the old release.
#[tokio::test(start_paused = true)]
async fn install_fails() {
    let fleet = ill("install-fails", "PA-850", "10.1.14", ", images: [10.2.0]");
    let mut watch = Watch::on(&fleet, "fw").await;
    watch.install("10.2.0").await;
    let partitions = watch.probe.body("<debug><swm><status/></swm></debug>").await;
    for line in partitions.lines().filter(|line| line.starts_with("sysroot")) {
        watch.note(line);
    }
    watch.restart().await;
    watch.minutes(25, 10).await;
    insta::assert_snapshot!(watch.table(), @r#"
    0:19 -- install 10.2.0: FAIL |  Failed to install 10.2.0 with the following errors. |  SW version is 10.2.0 |  Image authentication error. Failed to load into PAN software manager. |  Failed to install   version  10.2.0  type  panos
    0:19 -- sysroot0          RUNNING-ACTIVE    10.1.14
    0:19 -- sysroot1          EMPTY             None
    0:19 -- restart
    0:19 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 68d
    0:20 icmp -   -    reset
    0:21 -    -   -    refused
    0:26 icmp 22  -    refused
    0:27 icmp 22  443  403
    0:28 icmp 22  443  503
    0:29 icmp 22  443  200 10.1.14    AutoCom 1 ACT  no  up 0:02
    0:35 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 0:09
    "#);
}
