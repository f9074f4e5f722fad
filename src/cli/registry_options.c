#include "cli/registry_options.h"

#include <stdlib.h>

#include "base/str.h"
#include "registry/registries.h"

int registry_options_apply(const struct registry_options *o, const char *registry, struct err *e)
{
	if (o->tls_verify && !str_eq(o->tls_verify, "true") && !str_eq(o->tls_verify, "false"))
		return err_set(e, ERR_USAGE, "--tls-verify=%s: true or false is wanted", o->tls_verify);
	if (str_eq(o->tls_verify, "false"))
		registries_trust(registry);
	if (o->authfile && setenv("REGISTRY_AUTH_FILE", o->authfile, 1) < 0)
		return err_sys(e, "--authfile");
	return 0;
}
