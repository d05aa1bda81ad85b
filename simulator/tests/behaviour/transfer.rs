//! Files out of a device and into it.

use panos_simulator::ControlRequest;

use crate::probe::{Probe, job_id, one, text, wait};

/// The files of an archive that nothing is compressed in: names and contents.
fn unpack(archive: &[u8]) -> Vec<(String, String)> {
    assert_eq!(&archive[..3], [0x1f, 0x8b, 8], "gzip, deflate");
    let (mut at, mut tar) = (10, Vec::new());
    loop {
        let last = archive[at] == 1;
        let length = usize::from(u16::from_le_bytes([archive[at + 1], archive[at + 2]]));
        tar.extend_from_slice(&archive[at + 5..at + 5 + length]);
        at += 5 + length;
        if last {
            break;
        }
    }
    assert_eq!(archive.len(), at + 8, "checksum and length end the file");
    let (mut files, mut rest) = (Vec::new(), tar.as_slice());
    while rest.len() >= 512 && rest[0] != 0 {
        let field = |from: usize, to: usize| {
            String::from_utf8_lossy(&rest[from..to])
                .trim_end_matches(['\0', ' '])
                .to_owned()
        };
        let length = usize::from_str_radix(&field(124, 136), 8).unwrap();
        let content = String::from_utf8_lossy(&rest[512..512 + length]).into_owned();
        files.push((field(0, 100), content));
        rest = &rest[512 + length.next_multiple_of(512)..];
    }
    files
}

#[tokio::test(start_paused = true)]
async fn the_device_state_is_an_archive_with_the_configuration_in_it() {
    let fleet = one("");
    let probe = Probe::login(&fleet, "fw").await;
    let reply = probe
        .send(&[("type", "export"), ("category", "device-state")])
        .await;
    assert_eq!(reply.headers()["content-type"], "application/octet-stream");
    assert_eq!(
        reply.headers()["content-disposition"],
        "attachment; filename=device_state_fw.tgz"
    );
    let files = unpack(reply.body());
    assert_eq!(files[0].0, "running-config.xml");
    assert!(files[0].1.contains("<hostname>fw</hostname>"));
    assert!(files[1].1.contains("sw-version: 10.1.14-h9"));
}

#[tokio::test(start_paused = true)]
async fn a_tech_support_file_is_a_job_first() {
    let fleet = one("");
    let probe = Probe::login(&fleet, "fw").await;
    let ask = async |action: &str, job: &str| {
        probe
            .send(&[
                ("type", "export"),
                ("category", "tech-support"),
                ("action", action),
                ("job-id", job),
            ])
            .await
    };
    let begun = probe
        .sent(&[("type", "export"), ("category", "tech-support")])
        .await;
    assert!(
        begun.contains("code=\"19\"") && begun.contains("Exec job enqueued with jobid"),
        "{begun}"
    );
    let job = job_id(&begun).to_string();
    let status = text(ask("status", &job).await.body());
    assert!(
        status.contains("<status>PEND</status>") || status.contains("<status>ACT</status>"),
        "{status}"
    );
    assert!(text(ask("get", &job).await.body()).contains("not ready"));
    assert!(text(ask("get", "999").await.body()).contains("job 999 not found"));
    assert!(
        text(ask("get", "1").await.body()).contains("job 1 not found"),
        "the auto-commit is no export"
    );
    wait(600).await;
    assert!(text(ask("status", &job).await.body()).contains("<status>FIN</status>"));
    let file = ask("get", &job).await;
    assert_eq!(file.headers()["content-type"], "application/octet-stream");
    assert_eq!(unpack(file.body()).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_imported_image_is_uploaded_and_can_be_installed() {
    let fleet = one("");
    let probe = Probe::login(&fleet, "fw").await;
    let saved = probe
        .upload("software", "PanOS_800-10.2.4", "\0not really\0")
        .await;
    assert_eq!(
        saved,
        "<response status=\"success\"><msg><line>PanOS_800-10.2.4 saved</line></msg></response>"
    );
    let list = probe
        .body("<request><system><software><info/></software></system></request>")
        .await;
    let entry = list
        .split("<entry>")
        .find(|entry| entry.contains("<version>10.2.4</version>"))
        .unwrap();
    assert!(entry.contains("<uploaded>yes</uploaded>"), "{entry}");
    probe.install("10.2.4").await;
    for name in ["PanOS_vm-10.2.4", "PanOS_800-99.9.9", "PanOS_800-", "x", ""] {
        let refused = probe.upload("software", name, "").await;
        assert!(
            refused.contains("is not an image for this platform"),
            "{name}: {refused}"
        );
    }
    fleet
        .control(ControlRequest::FullDisk {
            device: "fw".into(),
            full: true,
        })
        .unwrap();
    let refused = probe.upload("software", "PanOS_800-10.2.5", "").await;
    assert!(refused.contains("Resource temporarily unavailable"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn an_imported_configuration_can_be_loaded() {
    let fleet = one("");
    let probe = Probe::login(&fleet, "fw").await;
    let config = "<config version='10.1.0'><shared><tag><entry name='new'/></tag></shared></config>";
    assert!(
        probe
            .upload("configuration", "new.xml", config)
            .await
            .contains("new.xml saved")
    );
    assert!(
        probe
            .upload("configuration", "bad.xml", "<config>")
            .await
            .contains("bad.xml is not a configuration")
    );
    probe
        .body("<load><config><from>new.xml</from></config></load>")
        .await;
    let candidate = probe.body("<show><config><candidate/></config></show>").await;
    assert!(candidate.contains("<entry name=\"new\"/>"));
    let named = probe
        .send(&[
            ("type", "export"),
            ("category", "configuration"),
            ("from", "new.xml"),
        ])
        .await;
    assert!(text(named.body()).contains("<entry name=\"new\"/>"));
}

#[tokio::test(start_paused = true)]
async fn images_are_deleted_but_not_those_that_are_needed() {
    let fleet = one("");
    let probe = Probe::login(&fleet, "fw").await;
    let delete = async |version: &str| {
        probe
            .body(&format!(
                "<delete><software><version>{version}</version></software></delete>"
            ))
            .await
    };
    let free = fleet.state("fw").unwrap().panrepo_free_mb;
    let mut log = Vec::new();
    for version in ["10.1.14-h9", "10.1.0", "10.2.4", "10.2.0", "10.2.0", "latest"] {
        let reply = delete(version).await;
        log.push(reply.replace("<response status=", "").replace("</response>", ""));
    }
    assert!(fleet.state("fw").unwrap().panrepo_free_mb > free);
    insta::assert_snapshot!(log.join("\n"), @r#"
    "error" code="14"><msg><line>Cannot delete 10.1.14-h9: it is the running version</line></msg>
    "error" code="10"><msg><line>Cannot delete 10.1.0: it is the base of 10.1.14-h9</line></msg>
    "error" code="17"><msg><line>version '10.2.4' is not an allowed keyword</line></msg>
    "success"><result>Successfully removed 10.2.0</result>
    "error" code="17"><msg><line>version '10.2.0' is not an allowed keyword</line></msg>
    "error" code="17"><msg><line>version 'latest' is not an allowed keyword</line></msg>
    "#);
}

#[tokio::test(start_paused = true)]
async fn content_is_installed_by_version_and_taken_back() {
    let fleet = one("");
    let probe = Probe::login(&fleet, "fw").await;
    let install = async |version: &str| {
        probe
            .body(&format!("<request><content><upgrade><install><version>{version}</version></install></upgrade></content></request>"))
            .await
    };
    let app = async || {
        probe
            .read("<show><system><info/></system></show>", "app-version")
            .await
    };
    assert!(
        install("8503-7125")
            .await
            .contains("version '8503-7125' is not an allowed keyword")
    );
    assert!(install("9050-9800").await.contains("has not been downloaded"));
    let job = job_id(
        &probe
            .body("<request><content><upgrade><download><latest/><sync-to-peer>yes</sync-to-peer></download></upgrade></content></request>")
            .await,
    );
    probe.finish(job).await;
    let job = job_id(&install("9050-9800").await);
    assert!(probe.finish(job).await.starts_with("OK"));
    assert_eq!(app().await, "9050-9800");
    let list = probe
        .body("<request><content><upgrade><info/></upgrade></content></request>")
        .await;
    assert_eq!(list.matches("<current>yes</current>").count(), 1);
    assert_eq!(list.matches("<previous>yes</previous>").count(), 1);
    let downgrade =
        "<request><content><downgrade><install>previous</install></downgrade></content></request>";
    let job = job_id(&probe.body(downgrade).await);
    assert!(probe.finish(job).await.starts_with("OK"));
    assert_eq!(app().await, "8700-7000");
}
