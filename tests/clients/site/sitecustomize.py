"""What the pan-os-upgrade CLI needs of its surroundings here. Nothing of what it asks or decides is changed.

It sets the locale en_US.UTF-8 (through panos-upgrade-assurance 1.5.1) and dies where that is not installed; C.UTF-8 has
the same English names of days and months. And it waits a minute after a restart and two before the second snapshot, in
real time, while the fleet's time runs faster: SIMULATED_HASTE divides its longer waits.
"""

import locale
import os
import time

_setlocale, _sleep = locale.setlocale, time.sleep
_haste = float(os.environ.get("SIMULATED_HASTE", "1"))


def _tolerant(category, name=None):
    try:
        return _setlocale(category, name)
    except locale.Error:
        return _setlocale(category, "C.UTF-8")


def _hasty(seconds):
    # Short waits are between two looks; they stay.
    _sleep(seconds / _haste if seconds >= 20 else seconds)


locale.setlocale, time.sleep = _tolerant, _hasty
