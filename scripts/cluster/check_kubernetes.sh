#!/usr/bin/env bash
# Holds extract.kubernetes.yaml against the published schemas of Kubernetes, and runs the commands of its pods on this machine.
#
#     scripts/cluster/check_kubernetes.sh
#
# It needs no cluster, and does not try what Kubernetes does: it starts the command of each pod with the variable of its index, kills some of
# them first, merges, and compares the result with that of one machine. Installs kubernetes-validate into .media/cluster-python. VIDPAIRS names
# the program [target/release/vidpairs]. About two minutes on two cores.
set -euo pipefail

what=kubernetes
# shellcheck source=scripts/cluster/checks.sh
source "$(dirname "$0")/checks.sh"
trap 'exit 130' INT TERM
parts=6
make_python

yaml=$cluster/extract.kubernetes.yaml
# kubernetes-validate brings the schemas of these versions.
for version in 1.29 1.37; do
    "$(dirname "$python")/kubernetes-validate" --strict -k "$version" "$yaml" >"$work/validate.log" 2>&1 ||
        fail "$yaml is not valid in Kubernetes $version: $(<"$work/validate.log")"
    # A key that does not exist must be seen.
    sed 's/completionMode:/completionMood:/' "$yaml" >"$work/wrong.yaml"
    if "$(dirname "$python")/kubernetes-validate" --strict -k "$version" "$work/wrong.yaml" >/dev/null 2>&1; then
        fail "the validation with Kubernetes $version does not see a wrong key"
    fi
done
say "valid in Kubernetes 1.29 and 1.37"

make_clips 12
sed -e "s|/data/|$work/|g" -e "s|completions: 100|completions: $parts|" -e "s|--parts=100|--parts=$parts|" "$yaml" >"$work/extract.yaml"
"$python" - "$work/extract.yaml" "$vidpairs" <<'END'
import os
import subprocess
import sys

import yaml

extract, merge = yaml.safe_load_all(open(sys.argv[1]))
(pod,) = extract["spec"]["template"]["spec"]["containers"]
(merging,) = merge["spec"]["template"]["spec"]["containers"]
rules = extract["spec"]["podFailurePolicy"]["rules"]
ignored = {code for rule in rules if rule["action"] == "Ignore" for code in rule.get("onExitCodes", {}).get("values", [])}
assert {rule["onExitCodes"]["containerName"] for rule in rules if "onExitCodes" in rule} == {pod["name"]}
for index in range(extract["spec"]["completions"]):
    variables = {**os.environ, "JOB_COMPLETION_INDEX": str(index)}
    stopped = subprocess.Popen([sys.argv[2], *pod["args"]], env=variables, stderr=subprocess.DEVNULL)
    try:
        stopped.wait(0.3 + 0.3 * index)
    except subprocess.TimeoutExpired:
        stopped.terminate()  # as when the node is drained
        code = stopped.wait(pod.get("terminationGracePeriodSeconds", 30))
        assert code in ignored or code == 0, f"the pod ended with {code}; these do not count as failures: {ignored}"
    subprocess.run([sys.argv[2], *pod["args"]], env=variables, check=True, stderr=subprocess.DEVNULL)
subprocess.run([sys.argv[2], *merging["args"]], check=True)
END
same_as_one_machine "$work/pairs"
rm -rf "$work"
say "passed in $((SECONDS - started)) s"
