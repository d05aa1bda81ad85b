//! Jobs: how they run, how they end, and every reason why they end badly.

use panos_simulator::{ControlRequest, FaultRule};

use crate::probe::{Probe, between, fleet, job_id, one, wait};

#[tokio::test(start_paused = true)]
async fn a_download_goes_through_its_three_steps_and_its_progress_falls_once() {
    let fleet = one("");
    let probe = Probe::login(&fleet, "fw").await;
    let reply = probe.software("download", "10.2.4-h4").await;
    let job = job_id(&reply);
    assert_eq!(
        between(&reply, "<line>", "</line>"),
        format!("Download job enqueued with jobid {job}")
    );
    let mut seen = vec![probe.job(job).await];
    while !seen.last().unwrap().contains("<status>FIN</status>") {
        wait(20).await;
        seen.push(probe.job(job).await);
    }
    let shown: Vec<String> = seen
        .iter()
        .map(|job| {
            let value = |name: &str| between(job, &format!("<{name}>"), &format!("</{name}>")).to_owned();
            let lines = value("details").matches("<line>").count();
            format!("{:4} {:>3} % {lines} lines", value("status"), value("progress"))
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    PEND   0 % 0 lines
    ACT   11 % 0 lines
    ACT   23 % 0 lines
    ACT   36 % 0 lines
    ACT   48 % 0 lines
    ACT   60 % 0 lines
    ACT   73 % 0 lines
    ACT   85 % 0 lines
    ACT   97 % 0 lines
    ACT   13 % 2 lines
    ACT   29 % 2 lines
    ACT   44 % 2 lines
    ACT   60 % 2 lines
    ACT   75 % 2 lines
    ACT   91 % 2 lines
    FIN  100 % 3 lines
    "#);
    let list = probe
        .body("<request><system><software><info/></software></system></request>")
        .await;
    assert_eq!(list.matches("<current>yes</current>").count(), 1);
    let entry = between(&list, "<version>10.2.4-h4</version>", "</entry>");
    assert!(entry.contains("<downloaded>yes</downloaded>"));
}

#[tokio::test(start_paused = true)]
async fn software_jobs_fail_for_the_vendors_reasons() {
    let fleet = fleet(
        "devices:\n  - {name: fw, model: PA-850, version: 9.1.16, content: 8390-6000, images: [10.1.0]}\n",
    );
    let probe = Probe::login(&fleet, "fw").await;
    let mut log = Vec::new();
    let unknown = probe.software("download", "10.2.99").await;
    log.push(format!(
        "download 10.2.99\n  {}",
        between(&unknown, "<line>", "</line>")
    ));
    let absent = probe.software("install", "10.2.0").await;
    log.push(format!(
        "install 10.2.0, not on disk\n  {}",
        between(&absent, "<line>", "</line>")
    ));
    let job = job_id(&probe.software("download", "10.2.4").await);
    log.push(format!(
        "download 10.2.4 before 10.2.0\n{}",
        probe.finish(job).await
    ));
    let job = job_id(&probe.software("install", "10.1.0").await);
    log.push(format!(
        "install 10.1.0 with content 8390\n{}",
        probe.finish(job).await
    ));
    let first = job_id(&probe.software("download", "10.2.0").await);
    let second = job_id(&probe.software("download", "10.2.4").await);
    log.push(format!(
        "download while downloading\n{}",
        probe.finish(second).await
    ));
    log.push(format!("the first of them\n{}", probe.finish(first).await));
    let job = job_id(&probe.software("download", "10.2.4").await);
    log.push(format!(
        "download 10.2.4 after 10.2.0\n{}",
        probe.finish(job).await
    ));
    let job = job_id(&probe.software("download", "10.2.7").await);
    wait(30).await;
    fleet
        .control(ControlRequest::FullDisk {
            device: "fw".into(),
            full: true,
        })
        .unwrap();
    log.push(format!("the disk fills\n{}", probe.finish(job).await));
    let job = job_id(&probe.software("download", "10.2.7").await);
    log.push(format!("the disk is full\n{}", probe.finish(job).await));
    insta::assert_snapshot!(log.join("\n"), @r#"
    download 10.2.99
      version '10.2.99' is not an allowed keyword
    install 10.2.0, not on disk
      Version 10.2.0 has not been downloaded
    download 10.2.4 before 10.2.0
    FAIL
      The required '10.2.0' base image must be loaded before this image can be loaded. You do not have to install or run the base image, only download it. Once the base is loaded, re-download your target image.

    install 10.1.0 with content 8390
    FAIL
      Error: Upgrading from 9.1.16 to 10.1.0 requires a content version of 8408 or greater and found 8390-6000.

    download while downloading
    FAIL
      The software manager is currently in use. Please try again later.

    the first of them
    OK
      Successfully downloaded
      Preloading into software manager
      Successfully loaded into software manager

    download 10.2.4 after 10.2.0
    OK
      Successfully downloaded
      Preloading into software manager
      Successfully loaded into software manager

    the disk fills
    FAIL
      Failed to download 10.2.7: not enough space left on /opt/panrepo

    the disk is full
    FAIL
      Failed to download 10.2.7: not enough space left on /opt/panrepo
    "#);
    let counters = fleet.counters("fw").unwrap();
    let shown = |counts: &std::collections::BTreeMap<panos_simulator::Version, u64>| {
        counts
            .iter()
            .map(|(version, count)| format!("{version} {count}"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    assert_eq!(shown(&counters.downloads_started), "10.2.0 1, 10.2.4 3, 10.2.7 2");
    assert_eq!(shown(&counters.installs_started), "10.1.0 1");
    assert!(counters.installs_ok.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_install_shows_in_the_partitions_and_runs_after_the_restart() {
    let fleet = one("");
    let probe = Probe::login(&fleet, "fw").await;
    let partitions = async || probe.body("<debug><swm><status/></swm></debug>").await;
    let mut log = vec![partitions().await];
    let job = job_id(&probe.software("install", "10.2.0").await);
    wait(60).await;
    log.push(partitions().await);
    let end = probe.finish(job).await;
    log.push(end);
    log.push(partitions().await);
    assert_eq!(
        probe.version().await,
        "10.1.14-h9",
        "the old release runs until the restart"
    );
    probe.restart().await;
    probe.back().await;
    assert_eq!(probe.version().await, "10.2.0");
    log.push(partitions().await);
    let log = log
        .join("\n")
        .replace("<response status=\"success\"><result><![CDATA[", "")
        .replace("]]></result></response>", "");
    let log: String = log
        .lines()
        .filter(|line| !line.starts_with('-'))
        .map(|line| format!("{line}\n"))
        .collect();
    insta::assert_snapshot!(log, @r#"
    Partition         State             Version
    sysroot0          RUNNING-ACTIVE    10.1.14-h9
    sysroot1          EMPTY             None
    maint             READY             10.1.14-h9

    Partition         State             Version
    sysroot0          RUNNING-ACTIVE    10.1.14-h9
    sysroot1          EMPTY             None
    maint             READY             10.1.14-h9

    OK
      Software installation of version 10.2.0 successfully completed. Please reboot to switch to it.

    Partition         State             Version
    sysroot0          RUNNING-ACTIVE    10.1.14-h9
    sysroot1          PENDING-CHANGE    10.2.0
    maint             READY             10.1.14-h9

    Partition         State             Version
    sysroot0          REVERTABLE        10.1.14-h9
    sysroot1          RUNNING-ACTIVE    10.2.0
    maint             READY             10.2.0
    "#);
    assert!(
        fleet
            .state("fw")
            .unwrap()
            .saved_configs
            .contains("autosave-10.1.14-h9")
    );
}

#[tokio::test(start_paused = true)]
async fn a_restart_cuts_an_install_off() {
    let fleet = one("");
    let probe = Probe::login(&fleet, "fw").await;
    probe.software("install", "10.2.0").await;
    wait(60).await;
    probe.restart().await;
    probe.back().await;
    assert_eq!(probe.version().await, "10.1.14-h9");
    let partitions = probe.body("<debug><swm><status/></swm></debug>").await;
    assert!(partitions.contains("EMPTY             None"), "{partitions}");
    assert!(fleet.counters("fw").unwrap().installs_ok.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_install_fault_fails_the_job_and_stages_nothing() {
    let fleet = one("faults: [{rule: install-fails, when: {devices: [fw]}}]\n");
    let probe = Probe::login(&fleet, "fw").await;
    let job = job_id(&probe.software("install", "10.2.0").await);
    let end = probe.finish(job).await;
    assert!(
        end.starts_with("FAIL\n  Failed to install 10.2.0") && end.contains("Image authentication error"),
        "{end}"
    );
    assert!(
        !probe
            .body("<debug><swm><status/></swm></debug>")
            .await
            .contains("PENDING-CHANGE")
    );
}

#[test]
fn a_written_rule_reads_and_writes() {
    let rule: FaultRule = serde_json::from_str(
        r#"{"id":"x","source":"y","when":{"versions":[{"from":"10.2.0"}]},"effect":{"boot_loop":{"at":"R4","up_seconds":5}}}"#,
    )
    .unwrap();
    let written = serde_json::to_string(&rule).unwrap();
    assert_eq!(serde_json::from_str::<FaultRule>(&written).unwrap(), rule);
}
