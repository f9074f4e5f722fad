/* What the command line says about every RUN (RUN-13), read and checked before anything is built. */
#ifndef NACRE_BUILD_RUN_OPTIONS_PRIV_H
#define NACRE_BUILD_RUN_OPTIONS_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"
#include "sandbox/sandbox.h"

struct build_options;
struct cache_key;
struct df_instruction;

struct run_options {
	bool allow_host_network, allow_insecure; /* --allow */
	struct str hosts;                        /* --add-host: lines for /etc/hosts */
	struct strv host_names;                  /* of them, for the key: their addresses are not in it (RUN-18) */
	uint64_t shm_size;                       /* 0: not given */
	VEC(struct sandbox_limit) limits;        /* --ulimit */
	struct strv limit_texts;                 /* the same, for the key */
};

int run_options_read(const struct build_options *o, struct run_options *ret, struct err *e); /* ERR_USAGE */
/* What this RUN asks for is allowed, and can be had: host network, insecure, devices. ERR_BUILD at its lines. */
int run_options_allow(const struct run_options *o, const struct df_instruction *in, struct err *e);
void run_options_key(const struct run_options *o, struct cache_key *k);
void run_options_fini(struct run_options *o);

#endif
