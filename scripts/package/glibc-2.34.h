/* Included ahead of every C file of FFmpeg by scripts/package/ffmpeg.sh.
 *
 * glibc 2.35 gave hypot a second symbol version, and hypot is the only symbol for which FFmpeg would need
 * glibc 2.35. The first version is in every glibc; with it the wheel also installs on RHEL 9 (glibc 2.34). */
#if defined(__x86_64__)
__asm__(".symver hypot, hypot@GLIBC_2.2.5");
#endif
