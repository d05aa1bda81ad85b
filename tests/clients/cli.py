"""The pan-os-upgrade CLI against a simulated fleet: one firewall, a pair, a batch through Panorama, a Panorama."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

import told
from told import expect

SETTINGS = """\
reboot: {max_tries: 30, retry_interval: 5}
ha_sync: {max_tries: 10, retry_interval: 3}
install: {max_tries: 3, retry_interval: 5}
download: {max_tries: 10, retry_interval: 5}
snapshots:
  customize: true
  max_tries: 3
  retry_interval: 5
  state:
    arp_table: {enabled: true, params: {properties: ["!ttl", "!status"]}}
    content_version: true
    ip_sec_tunnels: {enabled: true, params: {properties: [state]}}
    license: true
    nics: true
    routes: {enabled: true, params: {properties: ["!flags", "!age"]}}
    # Without thresholds the comparison is empty, and the CLI dies over its own report.
    session_stats: {enabled: true, params: {thresholds: [{num_max: 1}, {tmo_tcp: 1}]}}
"""
TARGET = "10.2.0"


class Ran:
    """One run of the CLI in a directory of its own."""

    def __init__(self, subcommand, device, *options, version=TARGET, answer=""):
        self.directory = pathlib.Path(tempfile.mkdtemp(dir=os.environ["SIMULATED_SCRATCH"]))
        (self.directory / "settings.yaml").write_text(SETTINGS)
        host, port = told.address(device)
        expect("the only port it knows", port, 443)
        command = [pathlib.Path(sys.executable).with_name("pan-os-upgrade"), subcommand, "-h", host]
        command += ["-u", told.USER, "-p", told.PASSWORD, "-v", version, *options]
        done = subprocess.run(
            command,
            cwd=self.directory,
            env=os.environ | {"PYTHONPATH": os.path.join(os.path.dirname(__file__), "site")},
            input=answer,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=400,
        )
        self.text = done.stdout
        if done.returncode != 0 or "generated an exception" in self.text:
            raise AssertionError(f"{subcommand} {device} ended with {done.returncode}:\n{self.text}")

    def snapshots_agree(self, device):
        """The CLI's own comparison of the device before and after, and its report as a PDF."""
        folder = self.directory / "assurance" / "snapshots" / device / "diff"
        reports = list(folder.glob("*.json"))
        expect(f"{device}: comparisons", len(reports), 1)
        areas = json.loads(reports[0].read_text())
        expect(f"{device}: what differs", [name for name, area in areas.items() if not area["passed"]], [])
        expect(f"{device}: areas", len(areas), 7)
        expect(f"{device}: PDF", [one.read_bytes()[:5] for one in folder.glob("*.pdf")], [b"%PDF-"])


def upgraded(device):
    expect(f"{device}: version", told.state(device)["version"], TARGET)
    counted = told.counters(device)
    expect(f"{device}: installs", counted["installs_ok"], {TARGET: 1})
    expect(f"{device}: reboots", counted["reboots_by_version"], {TARGET: 1})
    expect(f"{device}: asked for", counted["reboots_requested"], 1)


def one_firewall():
    Ran("firewall", "solo", "--non-interactive").snapshots_agree("solo")
    upgraded("solo")


def a_pair_from_its_active_member():
    ran = Ran("firewall", "edge-a", "--non-interactive")
    for device in ["edge-a", "edge-b"]:
        ran.snapshots_agree(device)
        upgraded(device)
    report = told.pair("edge")
    expect("both out by request", report["both_out_of_service_by_request"], 0)
    expect("gaps under the promotion hold", report["longest_gap_seconds"] < 5, True)
    expect("roles", sorted(told.state(name)["ha"]["state"] for name in ["edge-a", "edge-b"]), ["active", "passive"])


def a_batch_through_panorama():
    ran = Ran("batch", "pan", "--non-interactive", "--inventory", "branch")
    ran.snapshots_agree("branch")
    upgraded("branch")
    expect("it went through Panorama", told.counters("branch")["logins"], 0)


def a_panorama():
    Ran("panorama", "spare", answer="n\n")
    upgraded("spare")


if __name__ == "__main__":
    told.run(one_firewall, a_pair_from_its_active_member, a_batch_through_panorama, a_panorama)
