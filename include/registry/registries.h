/*
 * Which registries a name stands for, and how they may be reached: containers-registries.conf(5), version 2.
 *
 *   $CONTAINERS_REGISTRIES_CONF alone when it is set, else the first of ~/.config/containers/registries.conf and
 *   /etc/containers/registries.conf, then registries.conf.d/ *.conf in /etc/containers and ~/.config/containers
 *
 *   unqualified-search-registries, short-name-mode, [aliases]
 *   [[registry]]         prefix, location, insecure, blocked, mirror-by-digest-only
 *   [[registry.mirror]]  location, insecure, pull-from-mirror
 *
 * Without any of them a name without registry is one of docker.io's, as with docker.
 */
#ifndef NACRE_REGISTRY_REGISTRIES_H
#define NACRE_REGISTRY_REGISTRIES_H

#include "base/err.h"

/*
 * From now on this process and those it forks may speak to this one, HOST[:PORT], without verified TLS or without TLS
 * (--tls-verify=false).
 */
void registries_trust(const char *registry);

#endif
