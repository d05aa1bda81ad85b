//! Files in and out: exported configurations, device state, tech-support files, certificates; imported images and
//! configurations.

use bytes::Bytes;
use http::Response;
use jiff::SignedDuration;

use super::{Ask, Scene, software};
use crate::archive::tgz;
use crate::jobs::{JobKind, JobResult, JobStatus, Plan};
use crate::operation::Operation;
use crate::release::Version;
use crate::reply::{self, Markup};
use crate::tree::Element;
use crate::wording;

/// A tech-support file takes some minutes. Estimated.
const COLLECTING: SignedDuration = SignedDuration::from_secs(240);

pub(super) fn export_operation(category: &str) -> Option<Operation> {
    match category {
        "configuration" => Some(Operation::ExportConfiguration),
        "device-state" => Some(Operation::ExportDeviceState),
        "tech-support" => Some(Operation::ExportTechSupport),
        "certificate" => Some(Operation::ExportCertificate),
        _ => None,
    }
}

pub(super) fn import_operation(category: &str) -> Option<Operation> {
    match category {
        "software" => Some(Operation::ImportSoftware),
        "configuration" => Some(Operation::ImportConfiguration),
        _ => None,
    }
}

pub(super) fn answer(scene: &mut Scene<'_>, ask: &Ask<'_>) -> Option<Response<Bytes>> {
    let reply = match ask.operation {
        Operation::ExportConfiguration => configuration(scene, ask.parameter("from")),
        Operation::ExportDeviceState => device_state(scene),
        Operation::ExportTechSupport => tech_support(scene, ask),
        Operation::ExportCertificate => certificate(scene, ask.parameter("certificate-name")),
        Operation::ImportSoftware => import_software(scene, ask),
        Operation::ImportConfiguration => import_configuration(scene, ask),
        _ => return None,
    };
    Some(reply)
}

fn document(element: &Element) -> String {
    format!("<?xml version=\"1.0\"?>\n{}", element.to_xml())
}

/// The running configuration, or one that was saved under a name.
fn configuration(scene: &Scene<'_>, name: &str) -> Response<Bytes> {
    let running = scene.running_config();
    if name.is_empty() {
        return reply::file("running-config.xml", document(&running));
    }
    match scene.device().saved_config(&running, name) {
        Some(saved) => reply::file(name, document(&saved)),
        None => reply::error(7, &wording::no_such_file(name)),
    }
}

fn device_state(scene: &Scene<'_>) -> Response<Bytes> {
    let device = scene.device();
    let running = document(&scene.running_config());
    let content = device.content.to_string();
    let about = format!(
        "serial: {}\nsw-version: {}\napp-version: {content}\n",
        device.serial,
        device.version()
    );
    let files = [
        ("running-config.xml", running.as_bytes()),
        ("device-state.txt", about.as_bytes()),
    ];
    reply::octets(
        &format!("device_state_{}.tgz", device.name),
        tgz(&files, scene.now().as_second()),
    )
}

/// Three requests: without an action a job is enqueued, `status` shows it, `get` hands out the file.
fn tech_support(scene: &mut Scene<'_>, ask: &Ask<'_>) -> Response<Bytes> {
    let (world, now) = (scene.world, scene.now());
    let action = ask.parameter("action");
    if action.is_empty() {
        let device = scene.device_mut();
        if device.jobs.runs(|kind| kind == JobKind::TechSupport) {
            return reply::error(14, wording::TECH_SUPPORT_RUNS);
        }
        let length = device.spread(world, "tech support", COLLECTING);
        let id = device
            .jobs
            .enqueue(now, JobKind::TechSupport, Plan::Succeed, Some(length), None);
        return reply::enqueued(&wording::exec_enqueued(id), id);
    }
    let asked = ask.parameter("job-id");
    let found = asked.parse().ok().and_then(|id| scene.device().jobs.get(id));
    let Some(job) = found.filter(|job| job.kind == JobKind::TechSupport) else {
        return reply::error(7, &wording::no_such_job(asked));
    };
    match action {
        "status" => reply::success(software::job(Markup::new(), job, scene)),
        "get" if (job.status(now), job.result()) == (JobStatus::Finished, JobResult::Ok) => {
            let running = document(&scene.running_config());
            let name = format!("{}_ts.tgz", scene.device().name);
            let about = format!("generated {}\n", now.strftime("%Y/%m/%d %H:%M:%S"));
            let files = [
                (
                    "opt/pancfg/mgmt/saved-configs/running-config.xml",
                    running.as_bytes(),
                ),
                ("tmp/cli/techsupport.txt", about.as_bytes()),
            ];
            reply::octets(&name, tgz(&files, now.as_second()))
        }
        "get" => reply::error(14, wording::TECH_SUPPORT_NOT_READY),
        other => reply::error(400, &format!("Bad request: action {other} is not supported")),
    }
}

fn certificate(scene: &Scene<'_>, name: &str) -> Response<Bytes> {
    let running = scene.running_config();
    let pem = running
        .at(&["shared", "certificate"])
        .and_then(|all| {
            all.children
                .iter()
                .find(|one| one.attribute("name") == Some(name))
        })
        .and_then(|one| one.child("public-key"));
    match pem {
        Some(pem) => reply::octets(&format!("cert_{name}.crt"), pem.text.clone().into_bytes()),
        None => reply::error(7, &wording::no_such_certificate(name)),
    }
}

/// Images are told by their name, `PanOS_800-10.2.4-h4`; what is in the file does not matter here.
fn import_software(scene: &mut Scene<'_>, ask: &Ask<'_>) -> Response<Bytes> {
    let Some(file) = &ask.request.file else {
        return reply::error(400, wording::NO_FILE);
    };
    let world = scene.world;
    let name = file.name.rsplit(['/', '\\']).next().unwrap_or_default();
    let wanted = format!("PanOS_{}-", scene.device().class.platform);
    let version = name
        .strip_prefix(&wanted)
        .and_then(|text| text.parse::<Version>().ok());
    let release = version.and_then(|version| world.catalogue.get(version));
    let Some(release) = release else {
        return reply::error(12, &wording::not_an_image(name));
    };
    let images = &mut scene.device_mut().images;
    if !images.has_room(release.version, release.size) {
        return reply::error(14, wording::RESOURCE_UNAVAILABLE);
    }
    images.upload(release.version, release.size);
    reply::noted(&wording::file_saved(name))
}

fn import_configuration(scene: &mut Scene<'_>, ask: &Ask<'_>) -> Response<Bytes> {
    let Some(file) = &ask.request.file else {
        return reply::error(400, wording::NO_FILE);
    };
    let name = file.name.rsplit(['/', '\\']).next().unwrap_or_default();
    let text = String::from_utf8_lossy(&file.body);
    match Element::parse(&text) {
        Ok(config) if config.name == "config" && !name.is_empty() => {
            let running = scene.running_config();
            scene.device_mut().keep_config(running, name, config);
            reply::noted(&wording::file_saved(name))
        }
        _ => reply::error(12, &wording::not_a_configuration(name)),
    }
}
