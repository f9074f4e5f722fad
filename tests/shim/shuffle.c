/*
 * LD_PRELOAD=shuffle.so PROGRAM ARGUMENTS...
 *
 * Gives the names of each directory in an order of its own, another one each time: what no file system promises, none
 * of those at hand may do, and a program must not depend on. Stands before readdir(3), which nacre reads directories
 * with, and before the wrapper of getdents64(2); a raw system call and a static program get past it.
 *
 * SHUFFLE_LOG=FILE  gets one byte for each directory whose order was changed, so that a test sees that it was at work
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

struct listing {
	struct listing *next;
	DIR *dir;
	struct dirent **v; /* owned, as what it points to */
	size_t n, at;
};

static struct listing *listings; /* of the directories being read */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *next_symbol(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);
	if (!found)
		abort();
	return found;
}

static void *needed(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static void note(void)
{
	const char *path = getenv("SHUFFLE_LOG");
	int fd = path ? open(path, O_WRONLY | O_APPEND | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	(void)!write(fd, "x", 1);
	close(fd);
}

static void shuffle(struct dirent **v, size_t n)
{
	for (size_t i = n; i > 1; i--) {
		unsigned chance = 0;
		(void)!getrandom(&chance, sizeof chance, 0);
		size_t j = chance % i;
		struct dirent *other = v[j];
		v[j] = v[i - 1];
		v[i - 1] = other;
	}
	if (n > 3) /* with "." and "..", one name is in order whatever is done */
		note();
}

static struct listing **listing_of(DIR *dir)
{
	struct listing **l = &listings;
	while (*l && (*l)->dir != dir)
		l = &(*l)->next;
	return l;
}

static void listing_drop(struct listing **where)
{
	struct listing *l = *where;
	if (!l)
		return;
	*where = l->next;
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	free(l);
}

static struct listing *listing_read(DIR *dir)
{
	struct dirent *(*next)(DIR *) = (struct dirent * (*)(DIR *)) next_symbol("readdir");
	struct listing *l = needed(calloc(1, sizeof *l));
	struct dirent *entry;
	while ((errno = 0, entry = next(dir))) {
		l->v = needed(realloc(l->v, (l->n + 1) * sizeof *l->v));
		l->v[l->n++] = memcpy(needed(malloc(entry->d_reclen)), entry, entry->d_reclen);
	}
	if (errno) /* the reader is to see it: abort says more than a listing cut short */
		abort();
	shuffle(l->v, l->n);
	l->dir = dir;
	l->next = listings;
	listings = l;
	return l;
}

struct dirent *readdir(DIR *dir)
{
	int saved = errno;
	pthread_mutex_lock(&lock);
	struct listing *l = *listing_of(dir);
	if (!l)
		l = listing_read(dir);
	struct dirent *entry = l->at < l->n ? l->v[l->at++] : NULL;
	pthread_mutex_unlock(&lock);
	errno = saved;
	return entry;
}

struct dirent64 *readdir64(DIR *dir)
{
	_Static_assert(sizeof(struct dirent) == sizeof(struct dirent64), "only where both are one");
	return (struct dirent64 *)readdir(dir);
}

void rewinddir(DIR *dir)
{
	pthread_mutex_lock(&lock);
	listing_drop(listing_of(dir));
	pthread_mutex_unlock(&lock);
	((void (*)(DIR *))next_symbol("rewinddir"))(dir);
}

int closedir(DIR *dir)
{
	pthread_mutex_lock(&lock);
	listing_drop(listing_of(dir));
	pthread_mutex_unlock(&lock);
	return ((int (*)(DIR *))next_symbol("closedir"))(dir);
}

/* Keeps no state: each answer of the kernel is shuffled by itself. */
ssize_t getdents64(int fd, void *buffer, size_t size)
{
	ssize_t got = ((ssize_t(*)(int, void *, size_t))next_symbol("getdents64"))(fd, buffer, size);
	if (got <= 0)
		return got;
	char *copy = memcpy(needed(malloc((size_t)got)), buffer, (size_t)got), *to = buffer;
	struct dirent **v = NULL;
	size_t n = 0;
	for (ssize_t at = 0; at < got; at += ((struct dirent *)(void *)(copy + at))->d_reclen) {
		v = needed(realloc(v, (n + 1) * sizeof *v));
		v[n++] = (void *)(copy + at);
	}
	shuffle(v, n);
	for (size_t i = 0; i < n; to += v[i++]->d_reclen)
		memcpy(to, v[i], v[i]->d_reclen);
	free(v);
	free(copy);
	return got;
}
