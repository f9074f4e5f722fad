/* How many processors this process may use: its affinity mask, and the quotas of its control groups (cgroups(7)). */
#ifndef NACRE_BASE_CPUS_H
#define NACRE_BASE_CPUS_H

/* At least 1; a quota of one and a half processors counts as 2. */
unsigned cpus_usable(void);

/*
 * The quota that is found below root_fd, a directory like /: proc/self/cgroup names the groups, sys/fs/cgroup has them,
 * in version 2 (cpu.max) or 1 (cpu.cfs_quota_us). 0: none, or it cannot be told.
 */
unsigned cpus_quota(int root_fd);

#endif
