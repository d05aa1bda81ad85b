//! Jobs, images, content and system partitions, as the API tells and takes them.

use bytes::Bytes;
use http::Response;
use jiff::Timestamp;

use super::{Ask, Scene};
use crate::device::Device;
use crate::fault::UpdateServer;
use crate::jobs::{Job, JobKind, JobResult, JobStatus};
use crate::operation::Operation;
use crate::release::{Release, Version};
use crate::reply::{self, Markup};
use crate::request::Command;
use crate::staging::Refusal;
use crate::wording;

pub(super) fn answer(scene: &mut Scene<'_>, ask: &Ask<'_>) -> Option<Response<Bytes>> {
    let reply = match ask.operation {
        Operation::AllJobs => jobs(scene, |_| true),
        Operation::PendingJobs => jobs(scene, |status| status != JobStatus::Finished),
        Operation::ProcessedJobs => jobs(scene, |status| status == JobStatus::Finished),
        Operation::OneJob => one_job(scene, ask.command),
        Operation::SoftwareCheck => check(scene),
        Operation::SoftwareInfo => list(scene),
        Operation::Download => download(scene, ask.command),
        Operation::Install => install(scene, ask.command),
        Operation::DeleteImage => delete(scene, ask.command),
        Operation::PartitionStatus => partitions(scene),
        Operation::PartitionList => loaded(scene),
        Operation::PartitionHistory => history(scene),
        Operation::PartitionInfo => information(scene),
        Operation::PartitionRevert => revert(scene),
        Operation::ContentList => content_list(scene),
        Operation::ContentDownload => download_content(scene),
        Operation::ContentInstall => install_content(scene, ask.command),
        Operation::ContentDowngrade => downgrade_content(scene),
        _ => return None,
    };
    Some(reply)
}

fn jobs(scene: &Scene<'_>, wanted: impl Fn(JobStatus) -> bool) -> Response<Bytes> {
    let now = scene.now();
    let shown = scene
        .device()
        .jobs
        .newest_first()
        .filter(|one| wanted(one.status(now)));
    reply::success(Markup::new().each(shown, |markup, one| job(markup, one, scene)))
}

fn one_job(scene: &Scene<'_>, command: &Command) -> Response<Bytes> {
    let asked = command.option("id").unwrap_or_default().trim();
    match asked.parse().ok().and_then(|id| scene.device().jobs.get(id)) {
        Some(found) => reply::success(job(Markup::new(), found, scene)),
        None => reply::error(7, &wording::no_such_job(asked)),
    }
}

pub(super) fn job(markup: Markup, job: &Job, scene: &Scene<'_>) -> Markup {
    let now = scene.now();
    let day = |instant: Timestamp| instant.strftime("%Y/%m/%d %H:%M:%S").to_string();
    let status = match job.status(now) {
        JobStatus::Pending => "PEND",
        JobStatus::Active => "ACT",
        JobStatus::Finished => "FIN",
    };
    let result = match job.result() {
        JobResult::Pending => "PEND",
        JobResult::Ok => "OK",
        JobResult::Failed => "FAIL",
    };
    let by_itself = matches!(
        job.kind,
        JobKind::AutoCommit | JobKind::HaSync | JobKind::WildFire | JobKind::Unnumbered
    );
    let numbered = job.kind != JobKind::Unnumbered;
    // Finished install jobs show when they ended where others show 100.
    let progress = match (job.kind, job.finished()) {
        (JobKind::Install(_), Some(finished)) => day(finished),
        _ => job.progress(now).to_string(),
    };
    markup.element("job", |markup| {
        markup
            .leaf("tenq", &day(job.enqueued))
            .leaf("tdeq", &job.starts().strftime("%H:%M:%S").to_string())
            .each(numbered.then_some(job.id), |markup, id| {
                markup.leaf("id", &id.to_string())
            })
            .leaf(
                "user",
                if by_itself {
                    ""
                } else {
                    &scene.world.credentials.user
                },
            )
            .leaf("type", job.kind.shown())
            .leaf("status", status)
            .leaf("queued", "NO")
            .leaf("stoppable", "no")
            .leaf("result", result)
            .leaf(
                "tfin",
                &job.finished().map_or_else(|| "Still Active".to_owned(), day),
            )
            .leaf("description", "")
            .leaf("positionInQ", "0")
            .leaf("progress", &progress)
            .element("details", |details| {
                details.each(job.lines(now), |details, line| details.leaf("line", &line))
            })
            .leaf("warnings", "")
    })
}

/// `request system software check` asks the update server first.
fn check(scene: &Scene<'_>) -> Response<Bytes> {
    match scene.device().update_server(scene.world, scene.now()) {
        Some(UpdateServer::Unreachable) => reply::error(5, wording::CHECK_FAILED),
        Some(UpdateServer::NotEntitled) | None => list(scene),
    }
}

/// The list as the device last got it. Without support it names only what is on disk.
fn list(scene: &Scene<'_>) -> Response<Bytes> {
    let device = scene.device();
    let entitled = device.update_server(scene.world, scene.now()) != Some(UpdateServer::NotEntitled);
    let here = |version: Version| device.images.has(version) || version == device.version();
    let offered: Vec<&Release> = scene
        .world
        .catalogue
        .releases()
        .filter(|release| device.is_offered(release.version) && (entitled || here(release.version)))
        .collect();
    let latest = offered.last().map(|release| release.version);
    let refreshed = scene.now().strftime("%Y/%m/%d %H:%M:%S").to_string();
    let entries = Markup::new().each(offered, |markup, release| image(markup, scene, release, latest));
    reply::success(
        Markup::new()
            .raw(&format!("<sw-updates last-updated-at=\"{refreshed}\"><msg/>"))
            .element("versions", |versions| versions.raw(&entries.into_string()))
            .raw("</sw-updates>"),
    )
}

fn image(markup: Markup, scene: &Scene<'_>, release: &Release, latest: Option<Version>) -> Markup {
    let device = scene.device();
    let version = release.version;
    let yes = |is: bool| if is { "yes" } else { "no" };
    let loading = device.jobs.software_job().is_some_and(
        |job| matches!(job.kind, JobKind::Download { version: coming, .. } if coming == version),
    );
    let downloaded = match (device.images.has(version), loading) {
        (true, _) => "yes",
        (false, true) => "downloading",
        (false, false) => "no",
    };
    let published = scene
        .world
        .catalogue
        .released(version)
        .map_or(String::new(), |day| day.strftime("%Y/%m/%d 08:00:00").to_string());
    markup.element("entry", |entry| {
        let entry = entry
            .leaf("version", &version.to_string())
            .leaf("filename", &filename(device, version))
            .leaf("size", &release.size.to_string())
            .leaf("size-kb", &(release.size * 1024).to_string())
            .leaf("released-on", &published)
            .element("release-notes", |notes| {
                notes.cdata("https://docs.paloaltonetworks.com/pan-os")
            })
            .leaf("downloaded", downloaded)
            .leaf("current", yes(version == device.version()))
            .leaf("latest", yes(Some(version) == latest))
            .leaf("uploaded", yes(device.images.is_uploaded(version)));
        if tells_release_type(device) {
            entry.leaf("release-type", release_type(scene, release))
        } else {
            entry
        }
    })
}

fn filename(device: &Device, version: Version) -> String {
    let product = if device.class.panorama {
        "Panorama"
    } else {
        "PanOS"
    };
    format!("{product}_{}-{version}", device.class.platform)
}

/// `release-type` came with 10.1.4, 10.2.10, 11.0.5 and 11.1.3 (vendor CLI guide, upgrade commands).
fn tells_release_type(device: &Device) -> bool {
    let version = device.version();
    match version.train().as_str() {
        "8.1" | "9.0" | "9.1" | "10.0" => false,
        "10.1" => version.maintenance() >= 4,
        "10.2" => version.maintenance() >= 10,
        "11.0" => version.maintenance() >= 5,
        "11.1" => version.maintenance() >= 3,
        _ => true,
    }
}

fn release_type(scene: &Scene<'_>, release: &Release) -> &'static str {
    if scene.world.catalogue.is_base(release.version) {
        "Base"
    } else if release.preferred {
        "Preferred"
    } else {
        ""
    }
}

/// The version a command names, or the refusal of a text that is none.
fn version(command: &Command) -> Result<Version, Refusal> {
    let text = command.option("version").unwrap_or_default();
    text.parse().map_err(|_| Refusal {
        code: 17,
        text: wording::not_a_keyword(text),
    })
}

fn enqueued(job: Result<u32, Refusal>, line: fn(u32) -> String) -> Response<Bytes> {
    match job {
        Ok(id) => reply::enqueued(&line(id), id),
        Err(Refusal { code, text }) => reply::error(code, &text),
    }
}

fn download(scene: &mut Scene<'_>, command: &Command) -> Response<Bytes> {
    let (world, now) = (scene.world, scene.now());
    let both = command.option("sync-to-peer") == Some("yes");
    let job = version(command).and_then(|version| scene.device_mut().download(world, version, both, now));
    enqueued(job, wording::download_enqueued)
}

fn install(scene: &mut Scene<'_>, command: &Command) -> Response<Bytes> {
    let (world, now) = (scene.world, scene.now());
    let job = version(command).and_then(|version| scene.device_mut().install(world, version, now));
    enqueued(job, wording::install_enqueued)
}

fn download_content(scene: &mut Scene<'_>) -> Response<Bytes> {
    let (world, now) = (scene.world, scene.now());
    let id = scene.device_mut().download_content(world, now);
    reply::enqueued(&wording::download_enqueued(id), id)
}

/// By `latest` or by a version that the device knows of.
fn install_content(scene: &mut Scene<'_>, command: &Command) -> Response<Bytes> {
    let (world, now) = (scene.world, scene.now());
    let asked = command.option("version").unwrap_or_default().trim();
    let device = scene.device_mut();
    let content = match asked {
        "latest" => device.newest_content(),
        other => match other
            .parse()
            .ok()
            .filter(|content| device.knows_content(*content))
        {
            Some(content) => content,
            None => return reply::error(17, &wording::not_a_keyword(other)),
        },
    };
    enqueued(
        device.install_content(world, content, now),
        wording::content_install_enqueued,
    )
}

fn downgrade_content(scene: &mut Scene<'_>) -> Response<Bytes> {
    let (world, now) = (scene.world, scene.now());
    enqueued(
        scene.device_mut().downgrade_content(world, now),
        wording::content_install_enqueued,
    )
}

/// Two entries at least: panos-upgrade-assurance cannot read a list of one.
fn content_list(scene: &Scene<'_>) -> Response<Bytes> {
    let device = scene.device();
    let current = device.content;
    let listed = device.listed_content();
    let released = scene.now().strftime("%Y/%m/%d 02:00:00 UTC").to_string();
    let installing = |content| device.jobs.runs(|kind| kind == JobKind::ContentInstall(content));
    let entries = Markup::new().each(listed, |markup, content| {
        let previous = device.previous_content == Some(content) && content != current;
        let here = device.holds_content(content);
        markup.element("entry", |entry| {
            entry.leaves(&[
                ("version", &content.to_string()),
                ("app-version", &content.to_string()),
                ("filename", &format!("panupv2-all-contents-{content}")),
                ("size", "62"),
                ("size-kb", "63488"),
                ("released-on", &released),
                ("downloaded", if here { "yes" } else { "no" }),
                ("current", if content == current { "yes" } else { "no" }),
                ("previous", if previous { "yes" } else { "no" }),
                ("installing", if installing(content) { "yes" } else { "no" }),
                ("features", "contents"),
                ("update-type", "Full"),
            ])
        })
    });
    reply::success(Markup::new().element("content-updates", |list| list.raw(&entries.into_string())))
}

fn partitions(scene: &Scene<'_>) -> Response<Bytes> {
    let device = scene.device();
    let mut table = format!(
        "{:<18}{:<18}{}\n{}\n",
        "Partition",
        "State",
        "Version",
        "-".repeat(80)
    );
    let row = |name: &str, state: &str, version: Option<Version>| {
        let version = version.map_or_else(|| "None".to_owned(), |version| version.to_string());
        format!("{name:<18}{state:<18}{version}\n")
    };
    for (name, partition) in ["sysroot0", "sysroot1"].iter().zip(device.partitions.both()) {
        table.push_str(&row(name, partition.state.shown(), partition.version));
    }
    table.push_str(&row("maint", "READY", Some(device.version())));
    reply::success(Markup::new().cdata(&table))
}

fn revert(scene: &mut Scene<'_>) -> Response<Bytes> {
    if scene.device_mut().revert() {
        reply::done("Reverted. Please reboot the system.")
    } else {
        reply::error(14, "No partition to revert to")
    }
}

/// `debug swm list`: the images the software manager holds. The columns are an estimate, as those of its other tables.
fn loaded(scene: &Scene<'_>) -> Response<Bytes> {
    let device = scene.device();
    let mut text = String::from("Loaded images:\n");
    for version in device.images.versions() {
        let base = if scene.world.catalogue.is_base(version) {
            " (base)"
        } else {
            ""
        };
        text.push_str(&format!("  PanOS_{}-{version}{base}\n", device.class.platform));
    }
    reply::success(Markup::new().cdata(&text))
}

/// `debug swm history`: what was booted since the simulation began, and what runs.
fn history(scene: &Scene<'_>) -> Response<Bytes> {
    let device = scene.device();
    let mut text = String::new();
    for (version, boots) in &device.counters.reboots_by_version {
        text.push_str(&format!("booted    {version}  {boots} time(s)\n"));
    }
    let since = device.booted_at.strftime("%Y/%m/%d %H:%M:%S");
    text.push_str(&format!("running   {}  since {since}\n", device.version()));
    reply::success(Markup::new().cdata(&text))
}

fn information(scene: &Scene<'_>) -> Response<Bytes> {
    let device = scene.device();
    let pending = match device.partitions.next_boot() {
        next if next == device.version() => "None".to_owned(),
        next => next.to_string(),
    };
    let state = if device.jobs.software_job().is_some() {
        "busy"
    } else {
        "idle"
    };
    reply::success(Markup::new().cdata(&format!(
        "platform        : {}\nrunning version : {}\npending version : {pending}\nstate           : {state}\n",
        device.class.platform,
        device.version()
    )))
}

/// Never the running image, nor a base that another image on disk needs.
fn delete(scene: &mut Scene<'_>, command: &Command) -> Response<Bytes> {
    let world = scene.world;
    let version = match version(command) {
        Ok(version) => version,
        Err(Refusal { code, text }) => return reply::error(code, &text),
    };
    match scene.device_mut().delete_image(world, version) {
        Ok(()) => reply::done(&wording::image_deleted(version)),
        Err(Refusal { code, text }) => reply::error(code, &text),
    }
}
