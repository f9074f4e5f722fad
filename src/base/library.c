#include "base/library.h"

#include <dlfcn.h>
#include <string.h>

#include "base/log.h"

int library_load(const char *const *sonames, const struct library_function *functions, size_t n, struct err *e)
{
	void *handle = NULL;
	const char *const *name = sonames;
	for (; *name && !handle; name++) {
		handle = dlopen(*name, RTLD_NOW | RTLD_LOCAL);
		if (!handle)
			log_debug("%s", dlerror());
	}
	if (!handle)
		return err_set(e, ERR_SYS, "%s is not installed, and this needs it", sonames[0]);
	for (size_t i = 0; i < n; i++) {
		void *found = dlsym(handle, functions[i].name);
		if (!found)
			return err_set(e, ERR_SYS, "%s has no %s: it is too old", name[-1], functions[i].name);
		memcpy(functions[i].pointer, &found, sizeof found);
	}
	return 0;
}
