#!/bin/sh
# What `__main__.py` makes, with Scaleway's command line and without a state: a private network, the cluster
# kapsule-ENVIRONMENT and its pool `apps`, in the project of the mounted key.
#
#   deploy.sh ENVIRONMENT             makes what is missing, waits until it is ready, says the cluster's id
#   deploy.sh --preview ENVIRONMENT   says what that would make; a key that only reads is enough
#
# What is there is found by its name and left as it is, so a second run changes nothing. Two runs at once would make two of
# each: in a pipeline `resource_group` keeps them apart.
#
# Key, project and region come from the file that the runner mounts ($SCW_CONFIG_PATH, or ~/.config/scw/config.yaml) and
# from nowhere else. No kubeconfig is asked for: Scaleway has only the administrator's. The environment's stack makes one
# that allows what its settings say, and mounts it into later jobs.
#
# NODE_TYPE, SIZE and KUBERNETES_VERSION say what is made. Exit codes: 0 done; 1 it could not be, a line says why; 2 usage.
# Source: Scaleway's command line 2.62, `scw k8s cluster create --help` and its like.
set -eu

exec 3>&1 # for what is said where the output is a result

say() { printf '%s\n' "$1" >&3; }

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

preview=false tag=runner
if [ "${1:-}" = --preview ]; then
  preview=true tag=preview-runner
  shift
fi
if [ $# -ne 1 ]; then
  echo "usage: deploy.sh [--preview] ENVIRONMENT" >&2
  exit 2
fi
environment=$1
case $environment in
  '' | *[!a-z0-9-]*) fail "the environment is '$environment': it must be a name in small letters, or nothing has it." \
    "Fix: deploy.sh dev" ;;
esac
name=kapsule-$environment
node_type=${NODE_TYPE:-DEV1-M}
size=${SIZE:-2}
minor=${KUBERNETES_VERSION:-1.35}
fix="Fix: run it in a job with tags: [k8s-$environment-$tag]"

export SCW_CONFIG_PATH="${SCW_CONFIG_PATH:-$HOME/.config/scw/config.yaml}"
# Each of them would win over the file.
unset SCW_ACCESS_KEY SCW_SECRET_KEY SCW_PROFILE
unset SCW_DEFAULT_ORGANIZATION_ID SCW_DEFAULT_PROJECT_ID SCW_DEFAULT_REGION SCW_DEFAULT_ZONE

[ -r "$SCW_CONFIG_PATH" ] || fail "there is no file $SCW_CONFIG_PATH: a runner must mount it, or there is no key. $fix"
command -v scw > /dev/null || fail "scw is not on PATH: it makes the cluster. Fix: image: scaleway/cli:v2.62.0"

# ask WHAT ARGUMENTS…: what scw answers. When it cannot, its own message comes before ours.
ask() {
  what=$1
  shift
  scw "$@" || fail "scw could not $what: the key in $SCW_CONFIG_PATH must be allowed to, or $name is not deployed. $fix"
}

# id_of KIND NAME ARGUMENTS…: the id of the one with that very name, or nothing. The API's filter takes any part of names.
id_of() {
  kind=$1 wanted=$2
  shift 2
  listed=$(ask "list every $kind" "$@" name="$wanted" -o template='{{.ID}} {{.Name}}') || exit 1
  ids=$(printf '%s\n' "$listed" | awk -v name="$wanted" '$2 == name { print $1 }')
  case $ids in
    *[!0-9a-f-]*) fail "more than one $kind is called $wanted: there must be one, or it is not clear which is meant." \
      "Fix: delete all but one of" $ids ;;
    ?*) say "there is $kind $wanted" ;;
  esac
  printf '%s' "$ids"
}

# make WHAT ARGUMENTS…: the id of what is made. A preview only says it.
make() {
  what=$1
  shift
  if $preview; then
    say "would make $what"
    return
  fi
  made=$(ask "make $what" "$@" -o template='{{.ID}}') || exit 1
  say "made $what"
  printf '%s' "$made"
}

project=$(ask "read its file" config get default-project-id)
case $project in
  ????????-????-????-????-????????????) ;;
  *) fail "$SCW_CONFIG_PATH has no default_project_id: it must, or the cluster is made elsewhere. $fix" ;;
esac

network=$(id_of "private network" "$name" vpc private-network list project-id="$project")
if [ -z "$network" ]; then
  network=$(make "private network $name" vpc private-network create name="$name" project-id="$project")
fi

cluster=$(id_of cluster "$name" k8s cluster list project-id="$project")
pool="pool apps of $size $node_type"
if [ -z "$cluster" ]; then
  versions=$(ask "list Kubernetes' versions" k8s version list -o template='{{.Name}}')
  version=$(printf '%s\n' "$versions" | awk -v minor="$minor." 'index($0, minor) == 1' | sort -t . -k 3 -n | tail -n 1)
  [ -n "$version" ] || fail "Kapsule has no Kubernetes $minor: KUBERNETES_VERSION must be the start of one of" $versions
  cluster=$(make "cluster $name of Kubernetes $version with $pool" k8s cluster create name="$name" project-id="$project" \
    version="$version" cni=cilium private-network-id="$network" \
    auto-upgrade.enable=true auto-upgrade.maintenance-window.day=any auto-upgrade.maintenance-window.start-hour=3 \
    pools.0.name=apps pools.0.node-type="$node_type" pools.0.size="$size" pools.0.autohealing=true)
else
  apps=$(id_of pool apps k8s pool list cluster-id="$cluster")
  if [ -z "$apps" ]; then
    apps=$(make "$pool" k8s pool create cluster-id="$cluster" name=apps node-type="$node_type" size="$size" autohealing=true)
  fi
fi

if ! $preview; then
  state=$(ask "wait for cluster $name" k8s cluster wait "$cluster" wait-for-pools=true timeout=20m \
    -o template='{{.Status}} {{.Region}}/{{.ID}}')
  case $state in
    ready\ *) ;;
    *) fail "cluster $name is ${state%% *}: it must be ready, or nothing can be deployed to it." \
      "Fix: scw k8s cluster get $cluster" ;;
  esac
  say "ready: ${state#* }"
  say "for a kubeconfig in jobs: pulumi config set --stack $environment --path appCluster.clusterId ${state#* }"
fi
