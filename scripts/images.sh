#!/usr/bin/env bash
# npm run images: builds images of both applications and loads them onto the cluster's nodes. With CLUSTER_IMAGES=built
# they are only loaded; with CLUSTER_IMAGES=loaded nothing is done.
set -euo pipefail
cd "$(dirname "$0")/.."

for service in service1 service2; do
  image=nest-k8s-auth/$service:dev
  case ${CLUSTER_IMAGES:-} in
    loaded) ;;
    built) scripts/cluster.sh load "$image" ;;
    *)
      scripts/cluster.sh build "$image" . "$service"
      scripts/cluster.sh load "$image"
      ;;
  esac
  echo "$image"
done
