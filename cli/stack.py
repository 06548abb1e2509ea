"""What the verbs share: finding the stack that the environment names."""

import shlex
import shutil
import sys
from pathlib import Path

from deploy.local import home, stack
from deploy.local.ports import BASE_DEFAULT, Addresses
from streams.errors import OneThreadError


def find() -> Addresses:
    """The stack to talk to: parts running in the home, supervised or not, or addresses given from outside.

    Errors: OneThreadError where there is none.
    """
    addresses = Addresses.from_environ()
    if not addresses.outside and not stack.is_running(addresses.home) and not stack.living_parts(addresses.home):
        raise no_stack(addresses)
    return addresses


def find_home() -> Addresses:
    """A stack that was started here at some time, running or not, or addresses from outside. Errors: as `find`."""
    addresses = Addresses.from_environ()
    if not addresses.outside and not home.exists(addresses.home):
        raise no_stack(addresses)
    return addresses


def no_stack(addresses: Addresses) -> OneThreadError:
    return OneThreadError(f'no stack in {addresses.home}: run "onethread up", or set ONETHREAD_HOME')


def exports(addresses: Addresses) -> list[str]:
    """What a shell in this folder must be told so that `onethread` finds this stack, a line each."""
    told = []
    command = Path(sys.executable).parent / "onethread"
    if not shutil.which("onethread") and command.exists():
        told.append(f"PATH={shlex.quote(str(command.parent))}:$PATH")
    if addresses.home != Path(".onethread").absolute():
        told.append(f"ONETHREAD_HOME={shlex.quote(str(addresses.home))}")
    if addresses.base != BASE_DEFAULT:
        told.append(f"ONETHREAD_PORT_BASE={addresses.base}")
    return [f"export {assignment}" for assignment in told]
