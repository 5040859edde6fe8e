/* What a user may not do to others: their memory, files and processes. */
#include "test.h"
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <grp.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <linux/capability.h>
#include <sys/prctl.h>

#define USER 1000
/* What this program exits with when it was executed to say who it is. */
#define ROOT 40
#define OTHER 41

static pid_t victim;
static char secret[] = "not for others";

static void become_user(void)
{
	OK(setresgid(USER, USER, USER));
	OK(setresuid(USER, USER, USER));
}

/* The victim is a copy of this process: its secret lies at the same address. */
static ssize_t peek(char *to)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/mem", victim);
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : pread(fd, to, sizeof secret, (uintptr_t)secret);
	close(fd);
	return n;
}

static void memory_of_another_user(void)
{
	char path[64], found[sizeof secret] = "";
	struct iovec mine = { found, sizeof found }, its = { secret, sizeof secret };

	become_user();
	CHECK(peek(found) == -1);
	/* Without an MMU the kernel does not offer these to anybody. */
	CHECK(process_vm_readv(victim, &mine, 1, &its, 1, 0) == -1 && errno == ENOSYS);
	CHECK(process_vm_writev(victim, &mine, 1, &its, 1, 0) == -1 && errno == ENOSYS);
	FAILS(ptrace(PTRACE_ATTACH, victim, 0, 0), EPERM);
	FAILS(ptrace(PTRACE_SEIZE, victim, 0, 0), EPERM);
	static const char *const files[] = { "mem", "environ", "auxv" };
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "/proc/%d/%s", victim, files[i]);
		FAILS(open(path, O_RDONLY), EACCES);
	}
	snprintf(path, sizeof path, "/proc/%d/cwd", victim);
	FAILS(readlink(path, found, sizeof found), EACCES);
	FAILS(kill(victim, SIGKILL), EPERM);
	FAILS(kill(1, SIGTERM), EPERM);
	FAILS(setpriority(PRIO_PROCESS, victim, 5), EPERM);
	FAILS(prlimit(victim, RLIMIT_CORE, 0, &(struct rlimit){ 0, 0 }), EPERM);
	int fd = OK(syscall(SYS_pidfd_open, victim, 0));
	FAILS(syscall(SYS_pidfd_getfd, fd, 0, 0), EPERM);
	FAILS(syscall(SYS_pidfd_send_signal, fd, SIGKILL, 0, 0), EPERM);
	CHECK(!found[0]);
}

static void files_of_another_user(void)
{
	struct stat st;

	become_user();
	FAILS(open("/etc/shadow", O_RDONLY), EACCES);
	FAILS(open("/etc/passwd", O_WRONLY), EACCES);
	FAILS(unlink("/etc/passwd"), EACCES);
	FAILS(rename("/etc/passwd", "/home/user/x"), EACCES);
	FAILS(chmod("/etc/passwd", 0777), EPERM);
	FAILS(chown("/etc/passwd", USER, USER), EPERM);
	FAILS(mkdir("/etc/mine", 0700), EACCES);
	FAILS(access("/root", R_OK), EACCES);
	FAILS(stat("/root/x", &st), EACCES);
	/* The sticky bit: a file of another in a folder for all. */
	FAILS(unlink("/tmp/of-root"), EPERM);
	FAILS(link("/etc/shadow", "/home/user/link"), EPERM);
	FAILS(open("/dev/machine", O_WRONLY), EACCES);
	FAILS(open("/proc/sysrq-trigger", O_WRONLY), EACCES);
	FAILS(open("/proc/sys/kernel/hostname", O_WRONLY), EACCES);
	OK(close(OK(open("/tmp/mine", O_CREAT | O_RDWR, 0600))));
	OK(unlink("/tmp/mine"));
}

static void privileges(void)
{
	become_user();
	FAILS(setuid(0), EPERM);
	FAILS(setgid(0), EPERM);
	FAILS(setgroups(0, 0), EPERM);
	FAILS(chroot("/tmp"), EPERM);
	FAILS(mount("none", "/mnt", "tmpfs", 0, 0), EPERM);
	FAILS(umount("/proc"), EPERM);
	FAILS(sethostname("x", 1), EPERM);
	FAILS(unshare(CLONE_NEWNS), EPERM);
	FAILS(syscall(SYS_pivot_root, "/", "/"), EPERM);
	FAILS(mknod("/tmp/null", S_IFCHR | 0666, 0x103), EPERM);
	FAILS(nice(-5), EPERM);
	FAILS(syscall(SYS_reboot, 0xfee1dead, 672274793, 0x4321fedc, 0), EPERM);
	FAILS(syscall(SYS_syslog, 5, 0, 0), EPERM);
	FAILS(settimeofday(&(struct timeval){ 0, 0 }, 0), EPERM);
}

static int has_effective(int cap)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	OK(syscall(SYS_capget, &header, data));
	return data[cap / 32].effective >> cap % 32 & 1;
}

/* Root without its capabilities is a user who owns root's files. */
static void capabilities(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2] = { { 0 }, { 0 } };

	CHECK(has_effective(CAP_SYS_CHROOT));
	OK(prctl(PR_CAPBSET_DROP, CAP_SYS_CHROOT, 0, 0, 0));
	OK(syscall(SYS_capset, &header, none));
	CHECK(!has_effective(CAP_SYS_CHROOT));
	FAILS(chroot("/"), EPERM);
	FAILS(open("/home/user/secret", O_RDONLY), EACCES);
}

/* A set-user-ID program runs as its owner, unless that was given up. */
static int euid_of_suid(int no_new_privs)
{
	int status;
	pid_t pid = OK(fork());
	if (!pid) {
		if (no_new_privs) OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
		become_user();
		execl("/opt/suid", "suid", "euid", (char *)0);
		_exit(9);
	}
	OK(waitpid(pid, &status, 0));
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void suid(void)
{
	CHECK(!system("cp /proc/$PPID/exe /opt/suid && chmod 4755 /opt/suid"));
	CHECK(euid_of_suid(0) == ROOT);
	CHECK(euid_of_suid(1) == OTHER);
	CHECK(!system("chmod 755 /opt/suid"));
	CHECK(euid_of_suid(0) == OTHER);
}

static void jail(void)
{
	struct stat st;

	OK(chroot("/tmp/jail"));
	OK(chdir("/"));
	become_user();
	FAILS(stat("/etc/passwd", &st), ENOENT);
	FAILS(stat("../../../../etc/passwd", &st), ENOENT);
	FAILS(stat("/out/etc/passwd", &st), ENOENT);
	FAILS(chroot("."), EPERM);
}

/* Root of a user namespace is nobody outside. */
static void own_users(void)
{
	become_user();
	/* Who has changed its user owns its own /proc only then. */
	OK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
	OK(unshare(CLONE_NEWUSER));
	int fd = OK(open("/proc/self/setgroups", O_WRONLY));
	OK(write(fd, "deny", 4));
	fd = OK(open("/proc/self/uid_map", O_WRONLY));
	CHECK(write(fd, "0 0 1\n", 6) == -1 && errno == EPERM);
	OK(write(fd, "0 1000 1\n", 9));
	fd = OK(open("/proc/self/gid_map", O_WRONLY));
	OK(write(fd, "0 1000 1\n", 9));
	CHECK(getuid() == 0 && getgid() == 0 && has_effective(CAP_SYS_ADMIN));
	FAILS(open("/etc/shadow", O_RDONLY), EACCES);
	FAILS(kill(victim, SIGKILL), EPERM);
	FAILS(sethostname("x", 1), EPERM);
	FAILS(mount("none", "/mnt", "tmpfs", 0, 0), EPERM);
	OK(unshare(CLONE_NEWNS | CLONE_NEWUTS));
	OK(sethostname("x", 1));
	OK(mount("none", "/mnt", "tmpfs", 0, 0));
	FAILS(mount("/dev/loop0", "/mnt", "ext4", 0, 0), EPERM);
	FAILS(mknod("/mnt/null", S_IFCHR | 0666, 0x103), EPERM);
}

int main(int argc, char **argv)
{
	char found[sizeof secret];

	(void)argv;
	if (argc > 1) return geteuid() ? OTHER : ROOT;
	OK(mkdir("/tmp/jail", 0755));
	OK(symlink("/", "/tmp/jail/out"));
	OK(close(OK(open("/tmp/of-root", O_CREAT, 0644))));
	OK(close(OK(open("/home/user/secret", O_CREAT, 0600))));
	OK(chown("/home/user/secret", USER, USER));
	victim = OK(fork());
	if (!victim) for (;;) pause();

	/* Root may: so the call works, and only the rule forbids it to others. */
	CHECK(peek(found) == sizeof found && !memcmp(found, secret, sizeof secret));
	CHECK(exited(in_child(memory_of_another_user), 0));
	CHECK(exited(in_child(files_of_another_user), 0));
	CHECK(exited(in_child(privileges), 0));
	CHECK(exited(in_child(capabilities), 0));
	CHECK(exited(in_child(jail), 0));
	CHECK(exited(in_child(own_users), 0));
	suid();
	OK(kill(victim, 0));
	OK(kill(victim, SIGKILL));
	return 0;
}
