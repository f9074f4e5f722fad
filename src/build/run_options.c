#include "run_options_priv.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "build_priv.h"
#include "dockerfile/device.h"
#include "dockerfile/flags.h"
#include "dockerfile/values.h"

/* ---- --allow ---- */

static int read_allow(const char *text, struct run_options *ret, struct err *e)
{
	static const char *const known[] = { "network.host", "security.insecure" };
	if (strcmp(text, "network.host") == 0) {
		ret->allow_host_network = true;
		return 0;
	}
	if (strcmp(text, "security.insecure") == 0) {
		ret->allow_insecure = true;
		return 0;
	}
	if (strcmp(text, "device") == 0 || str_starts(text, "device="))
		return err_set(e, ERR_USAGE,
			       "--allow %s: there is no device that a build without root may hand on to RUN", text);
	const char *near = str_nearest(text, known, ARRAY_LEN(known));
	err_set(e, ERR_USAGE, "--allow %s: unknown entitlement", text);
	return err_hint(e, "%s%s", near ? "did you mean " : "network.host and security.insecure are known",
			near ? near : "");
}

/* ---- --add-host ---- */

/* A step shares the network of this machine, so the machine is reached where it reaches itself. */
#define HOST_GATEWAY "127.0.0.1"

static bool is_address(const char *text)
{
	unsigned char address[sizeof(struct in6_addr)];
	return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

/* "::1" or "[::1]"; the line "ADDRESS<tab>NAME". */
static int add_address(struct run_options *ret, const char *name, const char *text, size_t n)
{
	if (n > 2 && text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	}
	AUTO(free_drop) char *address = x_strndup(text, n);
	if (!is_address(address))
		return -1;
	str_addf(&ret->hosts, "%s\t%s\n", address, name);
	return 0;
}

static bool is_host_name(const char *name)
{
	for (const char *p = name; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == '#' || *p == 0x7f)
			return false;
	return *name != '\0';
}

/* NAME=ADDRESS[,ADDRESS…] or NAME:ADDRESS; both of docker's forms. */
static int read_host(const char *text, struct run_options *ret, struct err *e)
{
	const char *mark = strchr(text, '=') ? strchr(text, '=') : strchr(text, ':');
	AUTO(free_drop) char *name = x_strndup(text, mark ? (size_t)(mark - text) : 0);
	if (!is_host_name(name) || !mark[1])
		return err_set(e, ERR_USAGE, "--add-host %s: invalid host; NAME:ADDRESS or NAME=ADDRESS is wanted",
			       text);
	strv_push(&ret->host_names, name);
	if (strcmp(mark + 1, "host-gateway") == 0)
		return add_address(ret, name, HOST_GATEWAY, strlen(HOST_GATEWAY));
	for (const char *p = mark + 1;; p++) {
		size_t n = strcspn(p, ",");
		if (add_address(ret, name, p, n) < 0)
			return err_set(e, ERR_USAGE,
				       "--add-host %s: invalid host; an IPv4 or IPv6 address or host-gateway is "
				       "wanted behind the name",
				       text);
		p += n;
		if (!*p)
			return 0;
	}
}

/* ---- --ulimit ---- */

static const struct {
	const char *name;
	int what;
} limit_names[] = {
	{ "core", RLIMIT_CORE },     { "cpu", RLIMIT_CPU },           { "data", RLIMIT_DATA },
	{ "fsize", RLIMIT_FSIZE },   { "locks", RLIMIT_LOCKS },       { "memlock", RLIMIT_MEMLOCK },
	{ "nice", RLIMIT_NICE },     { "msgqueue", RLIMIT_MSGQUEUE }, { "nofile", RLIMIT_NOFILE },
	{ "nproc", RLIMIT_NPROC },   { "rss", RLIMIT_RSS },           { "rtprio", RLIMIT_RTPRIO },
	{ "rttime", RLIMIT_RTTIME }, { "stack", RLIMIT_STACK },       { "sigpending", RLIMIT_SIGPENDING },
};

static bool parse_limit(const char *text, size_t n, uint64_t *ret)
{
	AUTO(free_drop) char *number = x_strndup(text, n);
	*ret = UINT64_MAX;
	return strcmp(number, "-1") == 0 || str_to_u64(number, INT64_MAX, ret);
}

/* What we may not exceed ourselves, no process we start may. */
static int check_hard(const char *text, const struct sandbox_limit *l, struct err *e)
{
	struct rlimit own;
	if (getrlimit((__rlimit_resource_t)l->what, &own) < 0)
		return err_sys(e, "--ulimit %s", text);
	if (own.rlim_max != RLIM_INFINITY && l->hard > own.rlim_max)
		return err_set(e, ERR_USAGE,
			       "--ulimit %s: the hard limit of this user is %llu, and only root can raise it", text,
			       (unsigned long long)own.rlim_max);
	return 0;
}

/* NAME=SOFT[:HARD], -1 for none; without HARD it is SOFT too. */
static int read_limit(const char *text, struct run_options *ret, struct err *e)
{
	size_t len = strcspn(text, "="), i = 0;
	const char *soft = text + len + (text[len] == '='), *colon = strchr(soft, ':');
	const char *hard = colon ? colon + 1 : soft;
	struct sandbox_limit l;
	while (i < ARRAY_LEN(limit_names) &&
	       (strncmp(limit_names[i].name, text, len) != 0 || limit_names[i].name[len]))
		i++;
	if (i == ARRAY_LEN(limit_names))
		return err_set(e, ERR_USAGE, "--ulimit %s: invalid ulimit type: %.*s", text, (int)len, text);
	l.what = limit_names[i].what;
	if (!text[len] || !parse_limit(soft, strcspn(soft, ":"), &l.soft) || !parse_limit(hard, strlen(hard), &l.hard))
		return err_set(e, ERR_USAGE, "--ulimit %s: invalid ulimit argument; NAME=SOFT[:HARD] is wanted", text);
	if (l.soft > l.hard)
		return err_set(e, ERR_USAGE,
			       "--ulimit %s: ulimit soft limit must be less than or equal to hard limit", text);
	if (check_hard(text, &l, e) < 0)
		return -1;
	vec_push(&ret->limits, l);
	strv_push(&ret->limit_texts, text);
	return 0;
}

/* ---- --resource, --cgroup-parent ---- */

static int refuse_cgroups(const char *option, const char *value, struct err *e)
{
	err_set(e, ERR_USAGE,
		"%s %s: a build without root has no control group of its own that it could put RUN into", option,
		value);
	return err_hint(e, "limit the whole build instead: systemd-run --user --scope -p MemoryMax=2G nacre build …");
}

static int refuse_resource(const char *text, struct err *e)
{
	static const char *const known[] = {
		"memory",     "memory-swap", "cpu-shares",  "cpu-period",
		"cpu-quota",  "cpuset-cpus", "cpuset-mems",
	};
	AUTO(free_drop) char *name = x_strndup(text, strcspn(text, "="));
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strcmp(name, known[i]) == 0)
			return refuse_cgroups("--resource", text, e);
	const char *near = str_nearest(name, known, ARRAY_LEN(known));
	err_set(e, ERR_USAGE, "--resource %s: unknown resource", text);
	return near ? err_hint(e, "did you mean %s?", near) : -1;
}

/* ---- all ---- */

int run_options_read(const struct build_options *o, struct run_options *ret, struct err *e)
{
	ret->allow_host_network = o->net_is_host;
	for (size_t i = 0; i < o->allow.n; i++)
		if (read_allow(o->allow.v[i], ret, e) < 0)
			return -1;
	for (size_t i = 0; i < o->add_hosts.n; i++)
		if (read_host(o->add_hosts.v[i], ret, e) < 0)
			return -1;
	for (size_t i = 0; i < o->ulimits.n; i++)
		if (read_limit(o->ulimits.v[i], ret, e) < 0)
			return -1;
	if (o->shm_size && !df_size(o->shm_size, &ret->shm_size))
		return err_set(e, ERR_USAGE, "--shm-size %s: invalid size; bytes, or a number with k, m or g is wanted",
			       o->shm_size);
	if (o->cgroup_parent)
		return refuse_cgroups("--cgroup-parent", o->cgroup_parent, e);
	return o->resources.n ? refuse_resource(o->resources.v[0], e) : 0;
}

static int not_allowed(const struct df_instruction *in, const char *entitlement, const char *flag, struct err *e)
{
	return err_at(e, ERR_BUILD, in->line, in->line_end,
		      "%s is not allowed: RUN --%s needs that entitlement; give it with --allow %s", entitlement, flag,
		      entitlement);
}

/* There is none that a build without root may hand on; who does not require one runs without (RUN-16). */
static int check_devices(const struct df_instruction *in, struct err *e)
{
	for (size_t i = 0; i < in->flags.n; i++) {
		AUTO(df_device_fini) struct df_device d = { 0 };
		if (strcmp(in->flags.v[i].name, "device") != 0)
			continue;
		if (df_device_parse(in->flags.v[i].value, &d, e) < 0)
			return -1;
		if (d.required)
			return err_at(e, ERR_BUILD, in->line, in->line_end,
				      "required device \"%s\" is not registered: a build without root has no devices to "
				      "hand on to RUN",
				      d.name);
	}
	return 0;
}

int run_options_allow(const struct run_options *o, const struct df_instruction *in, struct err *e)
{
	if (!o->allow_host_network && str_eq(df_flag_get(in, "network"), "host"))
		return not_allowed(in, "network.host", "network=host", e);
	if (!o->allow_insecure && str_eq(df_flag_get(in, "security"), "insecure"))
		return not_allowed(in, "security.insecure", "security=insecure", e);
	return check_devices(in, e);
}

void run_options_key(const struct run_options *o, struct cache_key *k)
{
	if (o->host_names.n)
		key_strv(k, "hosts", &o->host_names);
	if (o->shm_size)
		json_kv_int(&k->fields, "shm", (int64_t)o->shm_size);
	if (o->limit_texts.n)
		key_strv(k, "limits", &o->limit_texts);
}

void run_options_fini(struct run_options *o)
{
	str_fini(&o->hosts);
	strv_fini(&o->host_names);
	vec_fini(&o->limits);
	strv_fini(&o->limit_texts);
}
