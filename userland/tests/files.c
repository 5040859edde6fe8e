/* Files and folders: kinds, links, times, permissions, walking. */
#include "test.h"
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

/* ftw() calls it with an argument more: musl's cast of a function pointer. */
static int visited;
static int visit(const char *path, const struct stat *st, int kind)
{
	struct stat is;

	OK(lstat(path, &is));
	CHECK(is.st_ino == st->st_ino && kind == (S_ISDIR(is.st_mode) ? FTW_D : S_ISLNK(is.st_mode) ? FTW_SL : FTW_F));
	visited++;
	return 0;
}
static int stop(const char *path, const struct stat *st, int kind) { (void)st; return kind == FTW_F && strstr(path, "/d/c") ? 42 : 0; }
static int erase(const char *path, const struct stat *st, int kind, struct FTW *f) { (void)st, (void)kind, (void)f; return remove(path); }

static void as_user(void)
{
	OK(setgid(1000));
	OK(setuid(1000));
	FAILS(open("/tmp/files/a", O_RDONLY), EACCES);
	FAILS(access("/etc/shadow", R_OK), EACCES);
	FAILS(setuid(0), EPERM);
}

int main(void)
{
	struct stat st;
	char text[64];

	OK(mkdir("/tmp/files", 0755));
	OK(chdir("/tmp/files"));
	CHECK(!strcmp(getcwd(text, sizeof text), "/tmp/files"));
	int fd = OK(open("a", O_CREAT | O_EXCL | O_RDWR, 0600));
	FAILS(open("a", O_CREAT | O_EXCL, 0600), EEXIST);
	OK(link("a", "b"));
	OK(symlink("a", "s"));
	OK(mkfifo("fifo", 0600));
	OK(mkdir("d", 0700));
	OK(rename("b", "d/c"));
	OK(fstat(fd, &st));
	CHECK(S_ISREG(st.st_mode) && st.st_nlink == 2 && (st.st_mode & 0777) == 0600 && st.st_mtime > 1600000000);
	OK(lstat("s", &st));
	CHECK(S_ISLNK(st.st_mode) && readlink("s", text, 64) == 1 && text[0] == 'a');
	OK(stat("fifo", &st));
	CHECK(S_ISFIFO(st.st_mode));
	struct timespec times[2] = { { 5000000000, 7 }, { 1, 999999999 } };
	OK(futimens(fd, times));
	OK(fstat(fd, &st));
	CHECK(st.st_atim.tv_sec == 5000000000 && st.st_atim.tv_nsec == 7 && st.st_mtim.tv_nsec == 999999999);
	OK(setxattr("a", "user.key", "value", 5, 0));
	CHECK(getxattr("a", "user.key", text, 64) == 5);
	OK(flock(fd, LOCK_EX));
	int again = OK(open("a", O_RDWR));
	FAILS(flock(again, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	OK(chown("d", 1000, 1000));
	CHECK(exited(in_child(as_user), 0));

	int seen = 0;
	DIR *dir = opendir(".");
	for (struct dirent *e; (e = readdir(dir)); ) {
		if (!strcmp(e->d_name, "d")) CHECK(e->d_type == DT_DIR);
		if (!strcmp(e->d_name, "s")) CHECK(e->d_type == DT_LNK);
		seen++;
	}
	closedir(dir);
	CHECK(seen == 6);	/* . .. a s fifo d */
	struct statvfs vfs;
	OK(statvfs("/tmp", &vfs));
	CHECK(vfs.f_bsize && vfs.f_blocks);
	OK(ftw("/tmp/files", visit, 5));
	CHECK(visited == 6);	/* files a s fifo d d/c */
	CHECK(ftw("/tmp/files", stop, 5) == 42);
	FAILS(rmdir("d"), ENOTEMPTY);
	OK(nftw("/tmp/files", erase, 5, FTW_DEPTH | FTW_PHYS));
	FAILS(stat("/tmp/files", &st), ENOENT);
	return 0;
}
