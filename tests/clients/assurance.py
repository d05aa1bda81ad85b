"""panos-upgrade-assurance against a simulated fleet: every readiness check, health check and snapshot area.

A check has to give the answer that is right for the simulated state, on a healthy firewall, on one with everything wrong
that the fleet file can say, and on a member of a pair; two snapshots have to differ in what was changed and in nothing
else.
"""

from panos.firewall import Firewall
from panos_upgrade_assurance.check_firewall import CheckFirewall
from panos_upgrade_assurance.firewall_proxy import FirewallProxy
from panos_upgrade_assurance.snapshot_compare import SnapshotCompare
from panos_upgrade_assurance.utils import CheckType, HealthType, SnapType

import told
from told import expect, until


def names(kind):
    return {value for name, value in vars(kind).items() if not name.startswith("_")}


def assured(device):
    host, port = told.address(device)
    return CheckFirewall(FirewallProxy(Firewall(host, told.USER, told.PASSWORD, port=port)), skip_force_locale=True)


# What each check is asked, and the state of it on a firewall with nothing wrong.
CONTENT = {"version": "8900-9000"}
ASKED = {
    "content_version": CONTENT,
    "session_exist": {"source": "203.0.113.9", "destination": "203.0.113.10", "dest_port": "443"},
    "arp_entry_exist": {"ip": "203.0.113.9"},
    "ip_sec_tunnel_status": {"tunnel_name": "no-such-tunnel"},
    "free_disk_space": {"image_version": "10.2.7"},
    "global_jumbo_frame": {"mode": False},
    "environmentals": {"components": ["thermal", "fan", "power", "power-supply"]},
}
HEALTHY = {
    "panorama": "SUCCESS",
    "ha": "ERROR Device is not a member of an HA pair.",
    "ntp_sync": "SUCCESS",
    "candidate_config": "SUCCESS",
    "expired_licenses": "SUCCESS",
    "active_support": "SUCCESS",
    "content_version": "SUCCESS",
    "free_disk_space": "SUCCESS",
    "planes_clock_sync": "SUCCESS",
    "certificates_requirements": "SUCCESS",
    "jobs": "SUCCESS",
    "global_jumbo_frame": "SUCCESS",
    "environmentals": "SUCCESS",
    "dp_cpu_utilization": "SUCCESS",
    "mp_cpu_utilization": "SUCCESS",
    "mp_mem_utilization": "SUCCESS",
    "config_locks": "SUCCESS",
}
# What depends on the traffic of the simulated site: whatever there is, these are not in it.
ABSENT = {
    "session_exist": ("FAIL", "ERROR"),
    "arp_entry_exist": ("FAIL", "ERROR"),
    "ip_sec_tunnel_status": ("FAIL", "ERROR"),
}
# A schedule may be configured, and may be due.
EITHER = {"dynamic_updates": ("SUCCESS", "FAIL", "SKIPPED")}


def checked(device, different):
    """Runs every check. `different` is what the device's state makes of HEALTHY."""
    wanted = HEALTHY | different
    expect("every check is asked", set(wanted) | set(ABSENT) | set(EITHER), names(CheckType))
    asked = [{name: ASKED[name]} if name in ASKED else name for name in sorted(names(CheckType))]
    answers = assured(device).run_readiness_checks(asked)
    for name, answer in answers.items():
        status, reason = answer["status"], answer["reason"]
        if name in wanted:
            expect(f"{device}: {name}", f"{status} {reason}".strip()[: len(wanted[name])], wanted[name])
        else:
            expect(f"{device}: {name} ({reason})", status in (ABSENT | EITHER)[name], True)
    expect("answers", set(answers), names(CheckType))


def checks_of_a_healthy_firewall():
    checked("well", {"environmentals": "ERROR Device did not return environmentals, likely a VM."})


def checks_of_a_member_of_a_pair():
    checked("edge-a", {"ha": "SUCCESS"})
    checked("edge-b", {"ha": "SUCCESS"})


def checks_of_an_ailing_firewall():
    checked("ailing", {
        "panorama": "FAIL",
        "candidate_config": "FAIL",
        "config_locks": "FAIL",
        "content_version": "FAIL",
        # 10.2.7 needs more than its own size in megabytes and a tenth.
        "free_disk_space": "FAIL There is not enough free space",
    })


def checks_of_a_suspended_member():
    edge = assured("edge-b")
    told.control(set_ha_state={"device": "edge-b", "state": "suspended", "reason": "User requested"})
    answer = edge.run_readiness_checks(["ha"])["ha"]
    expect("suspended", (answer["status"], answer["reason"]), ("FAIL", "Local device is not in active or passive state."))
    answer = assured("edge-a").run_readiness_checks(["ha"])["ha"]
    expect("its peer", (answer["status"], answer["reason"]), ("FAIL", "Peer device is not in active or passive state."))


def pair():
    checks_of_a_member_of_a_pair()
    checks_of_a_suspended_member()


def health_checks():
    """Both releases are the fixed ones or newer, and both content versions are recent."""
    answers = assured("edge-a").run_health_checks(sorted(names(HealthType)))
    expect("health checks", set(answers), names(HealthType))
    for name, answer in answers.items():
        expect(name, answer["status"] in ("SUCCESS", "SKIPPED"), True)


# What may differ between two snapshots although nothing did.
QUIET = {
    "routes": {"properties": ["!flags", "!age"]},
    "fib_routes": None,
    "arp_table": {"properties": ["!ttl", "!status"]},
    "bgp_peers": {"properties": ["status"]},
    "ip_sec_tunnels": {"properties": ["state"]},
    "session_stats": {"thresholds": [{"num-max": 1}, {"tmo-tcp": 1}, {"tmo-udp": 1}]},
}


def areas():
    return [{name: QUIET[name]} if QUIET.get(name) else name for name in sorted(names(SnapType))]


def snapshot(device):
    taken = assured(device).run_snapshots(sorted(names(SnapType)))
    unread = {name for name, area in taken.items() if area["status"] != "SUCCESS"}
    # Only one of the two routing engines is there to be asked.
    engines = [{"routes", "fib_routes", "bgp_peers"}, {"are_routes", "are_fib_routes"}]
    expect(f"{device}: not read", unread in [set(), engines[1], engines[0]], True)
    for name in ["nics", "license", "session_stats", "content_version"]:
        expect(f"{device}: {name} is not empty", bool(taken[name]["snapshot"]), True)
    return {name: area for name, area in taken.items() if name not in unread}


def differences(before, after):
    compared = SnapshotCompare(before, after).compare_snapshots(
        [one for one in areas() if (one if isinstance(one, str) else next(iter(one))) in before]
    )
    return {name for name, area in compared.items() if not area["passed"]}


def snapshots_around_an_upgrade():
    host, port = told.address("well")
    well = Firewall(host, told.USER, told.PASSWORD, port=port)
    before = snapshot("well")
    expect("nothing happened", differences(before, snapshot("well")), set())
    well.software.check()
    well.software.install("10.2.0", sync=True)
    well.restart()
    expect("after the reboot", well.syncreboot(), "10.2.0")
    until("all services are back", lambda: told.state("well")["phase"] == "up", 90)
    until("everything is as it was", lambda: differences(before, snapshot("well")) == set(), 60)


def snapshots_around_a_pulled_optic():
    before = snapshot("ailing")
    expect("the port is up", before["nics"]["snapshot"]["ethernet1/5"], "up")
    told.control(set_optics={"device": "ailing", "optics": []})
    after = snapshot("ailing")
    expect("what differs", differences(before, after), {"nics"})
    changed = SnapshotCompare(before, after).compare_snapshots(["nics"])["nics"]["changed"]
    expect("which port", set(changed["changed_raw"]), {"ethernet1/5"})


def ailing():
    checks_of_an_ailing_firewall()
    snapshots_around_a_pulled_optic()


def well():
    checks_of_a_healthy_firewall()
    snapshots_around_an_upgrade()


if __name__ == "__main__":
    told.run(well, ailing, pair, health_checks)
