#!/usr/bin/python
# -*- coding: utf-8 -*-
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Makes a Postfix configuration directory what a policy file says: `postls apply`, and what it says."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: postls_policy
short_description: Make Postfix's TLS policies what a policy file says
description:
  - Runs C(postls apply) on the managed host. It lints, plans, writes all files or none, verifies, and reloads a running
    Postfix where that would not notice by itself.
  - Nothing is written if the result has an error. Rows of the table that postls did not write are not dropped unless
    O(adopt) says so.
author:
  - The postls authors
requirements:
  - postls on the managed host
options:
  config_dir:
    description:
      - Postfix's configuration directory.
    type: path
    default: /etc/postfix
  policy:
    description:
      - The policy file, on the managed host.
      - By default it is C(postls.yaml) in O(config_dir).
    type: path
  content:
    description:
      - What the policy file is to hold. It is written to O(policy) first.
      - If postls refuses it, the file becomes what it was before.
    type: str
  adopt:
    description:
      - Drop the rows of the table that postls did not write and that the policy file does not have.
    type: bool
    default: false
  allow_downgrade:
    description:
      - Destinations for which less may be asked than before, or V(all).
      - Without it, postls refuses a lower level and a removed pin.
    type: list
    elements: str
    default: []
  reason:
    description:
      - Why, for the history that postls keeps.
    type: str
  reload:
    description:
      - When a running Postfix reads its files again.
    type: str
    choices: [auto, always, never]
    default: auto
  root:
    description:
      - The directory of an image that is built. All names in it stay in it, and nothing is reloaded.
      - O(policy) is a file outside of the image; by default the one in the image's O(config_dir) is taken.
    type: path
  executable:
    description:
      - The program, by its path or by a name to be found in PATH.
    type: str
    default: postls
attributes:
  check_mode:
    support: full
    description: Says what would change, and fails where postls would refuse it. Nothing is written.
  diff_mode:
    support: full
    description: Shows the text of all files that change.
notes:
  - The text of main.cf and of the table is passed on in diff mode only. Where it holds a secret, set C(no_log) or
    C(diff=false) on the task.
  - With C(no_log) nothing is passed on but whether something changed, whether it failed, and the exit status.
seealso:
  - name: postls(8)
    description: The manual page of the program; C(postls man) prints it.
    link: https://www.postfix.org/TLS_README.html
"""

EXAMPLES = r"""
- name: TLS policies, as the policy file on the host says
  postls.postfix.postls_policy:

- name: TLS policies, as this repository says
  postls.postfix.postls_policy:
    content: "{{ lookup('ansible.builtin.file', 'postls.yaml') }}"

- name: A partner cannot do better for now
  postls.postfix.postls_policy:
    allow_downgrade: [partner.example]
    reason: ticket 4711, until their new gateway is there

- name: The same in an image
  postls.postfix.postls_policy:
    policy: /srv/build/postls.yaml
    root: /srv/build/root
"""

RETURN = r"""
plan:
  description: What changes or has changed, in words, a line each.
  returned: success, without no_log
  type: list
  elements: str
  sample: ["policies:", "  + partner.example   added: encrypt", "files:", "  ~ tls_policy"]
policies:
  description: The policies that change, each with its destination, what happens to it, the old and the new policy.
  returned: success, without no_log
  type: list
  elements: dict
parameters:
  description: The parameters of main.cf that change.
  returned: success, without no_log
  type: list
  elements: dict
files:
  description: The files that change, in the order in which they are written.
  returned: success, without no_log
  type: list
  elements: dict
reloaded:
  description: Whether a running Postfix was told to read its files again.
  returned: success, without check mode and no_log
  type: bool
rc:
  description:
    - The exit status of postls. V(2) it was refused and nothing was changed, V(3) something failed and everything was put
      back, V(4) not everything could be put back.
  returned: always
  type: int
msg:
  description: Why it failed, as postls says it.
  returned: failure
  type: str
"""

import json
import os
import shutil
import tempfile

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.text.converters import to_bytes, to_native


def main():
    module = AnsibleModule(
        argument_spec=dict(
            config_dir=dict(type="path", default="/etc/postfix"),
            policy=dict(type="path"),
            content=dict(type="str"),
            adopt=dict(type="bool", default=False),
            allow_downgrade=dict(type="list", elements="str", default=[]),
            reason=dict(type="str"),
            reload=dict(type="str", choices=["auto", "always", "never"], default="auto"),
            root=dict(type="path"),
            executable=dict(type="str", default="postls"),
        ),
        supports_check_mode=True,
    )
    if module.params["root"] and module.params["content"] is not None and not module.params["policy"]:
        module.fail_json(msg="with root and content, policy must say where the policy file is kept")
    postls = module.get_bin_path(module.params["executable"], required=True)
    if module.params["content"] is None:
        finish(module, run(module, postls, module.params["policy"]))
    path = module.params["policy"] or os.path.join(module.params["config_dir"], "postls.yaml")
    new = to_bytes(module.params["content"])
    old = bytes_of(path)
    if old == new:
        finish(module, run(module, postls, path))
    result = tried(module, postls, path, new) if module.check_mode else made(module, postls, path, old, new)
    finish(module, result, {"before_header": path, "after_header": path, "before": old or b"", "after": new})


def run(module, postls, policy):
    """Runs `postls apply` with a policy file, or with the one in the configuration directory."""
    params = module.params
    command = [postls, "apply", "--format", "json", "-c", params["config_dir"], "--reload", params["reload"]]
    if module.check_mode:
        command.append("--check")
    if params["adopt"]:
        command.append("--adopt")
    for destination in params["allow_downgrade"]:
        command += ["--allow-downgrade", destination]
    if params["reason"]:
        command += ["--reason", params["reason"]]
    if params["root"]:
        command += ["--root", params["root"]]
    if policy:
        # A name may begin with a hyphen.
        command += ["--", policy]
    rc, out, err = module.run_command(command, environ_update={"LC_ALL": "C.UTF-8"})
    try:
        said = json.loads(out)
    except ValueError:
        # Wrong usage, such as options that this postls does not know.
        said = {"failed": True, "message": err.strip() or "postls said nothing"}
    said["rc"] = rc
    said["complaints"] = err
    return said


def tried(module, postls, path, content):
    """What `postls apply --check` would say if the policy file held this.

    The file gets its name in a directory where everything stands that stands beside the real one, for it may include it.
    """
    folder = tempfile.mkdtemp(dir=module.tmpdir)
    beside = os.path.dirname(os.path.abspath(path))
    for name in os.listdir(beside) if os.path.isdir(beside) else []:
        if name != os.path.basename(path):
            os.symlink(os.path.join(beside, name), os.path.join(folder, name))
    trial = os.path.join(folder, os.path.basename(path))
    with open(trial, "wb") as file:
        file.write(content)
    said = run(module, postls, trial)
    shutil.rmtree(folder, ignore_errors=True)
    return said


def made(module, postls, path, old, new):
    """Writes the policy file and applies it. If that fails, the file becomes what it was before."""
    try:
        put(module, path, new)
    except (IOError, OSError) as error:
        return {"failed": True, "message": "%s: %s" % (path, to_native(error)), "rc": 2}
    said = run(module, postls, path)
    if said["rc"] != 0:
        if old is None:
            os.remove(path)
        else:
            put(module, path, old)
    return said


def put(module, path, content):
    """Replaces a file, whole or not at all; owner and mode stay."""
    handle, staged = tempfile.mkstemp(dir=module.tmpdir)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    if not os.path.exists(path):
        os.chmod(staged, 0o644)
    module.atomic_move(staged, path)


def bytes_of(path):
    """What a file holds; None: it is not there."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except (IOError, OSError):
        return None


def finish(module, said, policy_diff=None):
    """Gives Ansible what postls said."""
    if said["rc"] != 0 or said.get("failed"):
        said.setdefault("message", "postls failed")
        result = dict(rc=said["rc"], changed=bool(said.get("changed")), msg=said["message"])
        if module.no_log:
            result["msg"] = "postls failed with exit status %d; no_log hides why" % said["rc"]
        module.fail_json(**result)
    result = dict(rc=0, changed=said["changed"] or policy_diff is not None)
    if not module.no_log:
        for line in said["complaints"].splitlines():
            module.warn(line)
        for key in ("plan", "summary", "policies", "parameters", "files", "reloaded"):
            if key in said:
                result[key] = said[key]
        if module._diff:
            result["diff"] = diff(said["diff"], policy_diff)
    module.exit_json(**result)


def diff(text, policy_diff):
    """The differences as Ansible shows them."""
    shown = []
    if policy_diff:
        text_of = lambda key: to_native(policy_diff[key], errors="replace")
        shown.append({key: text_of(key) for key in policy_diff})
    if text:
        shown.append({"prepared": text})
    return shown


if __name__ == "__main__":
    main()
