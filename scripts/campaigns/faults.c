/* Makes one system call of a program fail: a library for LD_PRELOAD, used by faults.py.
 *
 * FAULT_CALL  open, read, write, fsync, rename or truncate: calls of this kind are counted, from 1, over all threads
 * FAULT_ROOT  only calls on files below this folder count
 * FAULT_AT    number of the call that fails; 0 for none
 * FAULT_KIND  EIO, ENOSPC, EMFILE or EINTR: the call does nothing and returns this error; SHORT: it reads or writes half of its bytes
 * FAULT_STAYS if set, all later calls fail too, as on a disk that stays full
 * FAULT_COUNT file to which the number of counted calls is written at the end
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long counted;

static int error_of(const char *kind) {
    return strcmp(kind, "ENOSPC") == 0 ? ENOSPC : strcmp(kind, "EMFILE") == 0 ? EMFILE : strcmp(kind, "EINTR") == 0 ? EINTR : EIO;
}

static int is_below(const char *path) {
    const char *root = getenv("FAULT_ROOT");
    char whole[8192];
    if (path[0] != '/') {
        if (!getcwd(whole, 4096)) return 0;
        snprintf(whole + strlen(whole), 4096, "/%s", path);
        path = whole;
    }
    return root && strncmp(path, root, strlen(root)) == 0;
}

static int is_file_below(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (len < 0) return 0;
    path[len] = 0;
    return is_below(path);
}

/* 0: as usual; 1: fail with errno; 2: half of the bytes. */
static int fate(const char *call, int counts) {
    const char *wanted = getenv("FAULT_CALL");
    if (!wanted || strcmp(wanted, call) != 0 || !counts) return 0;
    long number = atomic_fetch_add(&counted, 1) + 1;
    const char *at = getenv("FAULT_AT");
    long first = at ? atol(at) : 0;
    if (first == 0 || number < first || (number > first && !getenv("FAULT_STAYS"))) return 0;
    const char *kind = getenv("FAULT_KIND");
    if (kind && strcmp(kind, "SHORT") == 0) return 2;
    errno = error_of(kind ? kind : "EIO");
    return 1;
}

#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
#define HALF(len) ((len) > 1 ? (len) / 2 : (len))

#define BYTES(name, call, buffer_type, ...)                                                        \
    {                                                                                              \
        REAL(name);                                                                                \
        int saved = errno, what = fate(call, is_file_below(fd));                                   \
        if (what == 1) return -1;                                                                  \
        errno = saved;                                                                             \
        if (what == 2) len = HALF(len);                                                            \
        return real(fd, buffer, len __VA_ARGS__);                                                  \
    }

ssize_t read(int fd, void *buffer, size_t len) BYTES(read, "read", void *)
ssize_t pread(int fd, void *buffer, size_t len, off_t at) BYTES(pread, "read", void *, , at)
ssize_t pread64(int fd, void *buffer, size_t len, off64_t at) BYTES(pread64, "read", void *, , at)
ssize_t write(int fd, const void *buffer, size_t len) BYTES(write, "write", const void *)
ssize_t pwrite64(int fd, const void *buffer, size_t len, off64_t at) BYTES(pwrite64, "write", const void *, , at)

#define WHOLE(name, call, counts, ...)                                                             \
    {                                                                                              \
        REAL(name);                                                                                \
        int saved = errno, what = fate(call, counts);                                              \
        if (what == 1) return -1;                                                                  \
        errno = saved;                                                                             \
        return real(__VA_ARGS__);                                                                  \
    }

int fsync(int fd) WHOLE(fsync, "fsync", is_file_below(fd), fd)
int fdatasync(int fd) WHOLE(fdatasync, "fsync", is_file_below(fd), fd)
int ftruncate64(int fd, off64_t len) WHOLE(ftruncate64, "truncate", is_file_below(fd), fd, len)
int open64(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    WHOLE(open64, "open", is_below(path), path, flags, mode)
}
int rename(const char *from, const char *to) WHOLE(rename, "rename", is_below(to), from, to)

__attribute__((destructor)) static void tell(void) {
    const char *path = getenv("FAULT_COUNT");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file) return;
    fprintf(file, "%ld\n", atomic_load(&counted));
    fclose(file);
}
