#include "base/str.h"
#include "dockerfile/values.h"

/* Linux's names without SIG, as on the platforms images are built for; the builder's own <signal.h> does not matter. */
static const char *const names[] = {
	"ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL", "PIPE", "POLL",
	"PROF", "PWR", "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP", "TTIN", "TTOU", "URG", "USR1",
	"USR2", "VTALRM", "WINCH", "XCPU", "XFSZ", "RTMIN", "RTMAX",
};

/* RTMIN+1 … RTMIN+15 and RTMAX-14 … RTMAX-1: glibc's 34 to 64. */
static bool is_realtime(const char *name)
{
	uint64_t n;
	if (str_case_starts(name, "RTMIN+"))
		return name[6] != '0' && str_to_u64(name + 6, 15, &n);
	if (str_case_starts(name, "RTMAX-"))
		return name[6] != '0' && str_to_u64(name + 6, 14, &n);
	return false;
}

bool df_signal_is_valid(const char *text)
{
	uint64_t n;
	if (str_to_u64(text + (*text == '-' || *text == '+'), INT64_MAX, &n))
		return n != 0;
	if (str_case_starts(text, "SIG"))
		text += 3;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_case_eq(text, names[i]))
			return true;
	return is_realtime(text);
}
