/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SYNs as real systems send them: facts (which options, in which order, MSS, window, quirks of the header)
 * out of public fingerprint lists, each named in its row. Where a list leaves a value open, the row has one
 * that is common there: MSS 1460 of Ethernet, and windows that count in MSS multiplied out. Lists: p0f
 * (github.com/p0f/p0f) and its forks, OpenBSD's pf.os, Satori (github.com/xnih/satori), JA4+.
 */
#ifndef SYNMOAT_TESTS_CLIENT_SYNS_H
#define SYNMOAT_TESTS_CLIENT_SYNS_H

#include <stddef.h>
#include <stdint.h>

/* What is unusual, or not everybody's, in the headers. IP identification and DF are IPv4's only. */
enum {
	Q_DF = 1,	       /* don't fragment */
	Q_ID = 2,	       /* the identification is not zero */
	Q_ECN = 4,	       /* ECE and CWR: asks for ECN (RFC 3168) */
	Q_AE = 8,	       /* and AE: asks for accurate ECN (RFC 9768) */
	Q_ACK_NUMBER = 16,     /* not zero, though ACK is not set */
	Q_URG_POINTER = 32,    /* not zero, though URG is not set */
	Q_USUAL = Q_DF | Q_ID, /* of most systems since 2000 */
};

struct client_syn {
	const char *name, *source;
	uint16_t window;
	uint8_t ttl;
	uint8_t quirks;
	uint8_t length; /* of the options */
	uint8_t options[40];
};

#define P0F3   "p0f.fp 3.09b: "
#define P0F3_P "p0f.fp of peace-maker/p0f3-database: "
#define P0F3_H "p0f.fp of huginn-net, 2026-06: "
#define P0F2   "p0f.fp of p0f 2, 2006: "
#define PF_OS  "pf.os of OpenBSD, 1.27: "
#define SATORI "Satori tcp.xml, 2019-02: "
#define JA4    "ja4plus-mapping.csv of FoxIO: "

#define NOP	  1
#define EOL	  0
#define MSS(size) 2, 4, (size) >> 8, (size)&255
#define WS(shift) 3, 3, shift
#define SACK	  4, 2
#define TS	  8, 10, 0x3a, 0x5c, 0x71, 0x09, 0, 0, 0, 0
#define TS0	  8, 10, 0, 0, 0, 0, 0, 0, 0, 0
#define TS_ONES	  8, 10, 255, 255, 255, 255, 0, 0, 0, 0
#define TS_ECHO	  8, 10, 0x3a, 0x5c, 0x71, 0x09, 0x0b, 0xad, 0xca, 0xfe /* echoes, though nobody spoke yet */
#define CC_NEW	  12, 6, 0, 0, 0, 7					/* T/TCP, RFC 1644 */
#define NOP_11	  NOP, NOP, NOP, NOP, NOP, NOP, NOP, NOP, NOP, NOP, NOP
#define EOL_4	  EOL, EOL, EOL, EOL

#define CLIENT(who, list, win, hops, oddities, ...)                                                          \
	{                                                                                                    \
		.name = who, .source = list, .window = win, .ttl = hops, .quirks = oddities,                 \
		.length = sizeof((uint8_t[]){ __VA_ARGS__ }), .options = {                                   \
			__VA_ARGS__                                                                          \
		}                                                                                            \
	}
#define CLIENT_BARE(who, list, win, hops, oddities)                                                          \
	{                                                                                                    \
		.name = who, .source = list, .window = win, .ttl = hops, .quirks = oddities                  \
	}

#define LINUX_LAYOUT(size, shift)  MSS(size), SACK, TS, NOP, WS(shift)
#define WINDOWS_LAYOUT(shift)	   MSS(1460), NOP, WS(shift), NOP, NOP, SACK
#define DARWIN_LAYOUT(size, shift) MSS(size), NOP, WS(shift), NOP, NOP, TS, SACK, EOL, EOL
#define OPENBSD_LAYOUT(shift)	   MSS(1460), NOP, NOP, SACK, NOP, WS(shift), NOP, NOP, TS

static const struct client_syn client_syns[] = {
	/* --- Linux --- */
	CLIENT("Linux 1.2", P0F2 "Linux 1.2.x", 1460, 64, Q_ID | Q_ACK_NUMBER, MSS(1460)),
	CLIENT("Linux 2.0", P0F3 "Linux 2.0", 16384, 64, Q_ID, MSS(1460)),
	CLIENT("Linux 2.2", P0F3 "Linux 2.2.x", 32120, 64, Q_USUAL, LINUX_LAYOUT(1460, 0)),
	CLIENT("Linux 2.4", P0F3 "Linux 2.4.x", 5840, 64, Q_USUAL, LINUX_LAYOUT(1460, 0)),
	CLIENT("Linux 2.4, no timestamps", P0F2 "Linux 2.4 (tstamp-)", 5840, 64, Q_USUAL, MSS(1460), NOP, NOP,
	       SACK, NOP, WS(0)),
	CLIENT("Linux 2.4 in a cluster", P0F2 "Linux 2.4 in cluster", 5840, 64, Q_USUAL, MSS(1460), NOP,
	       WS(0)),
	CLIENT("Linux 2.4, echoing", SATORI "Linux 2.4.x", 31856, 64, Q_DF, MSS(1460), SACK, TS_ECHO, NOP,
	       WS(0)),
	CLIENT("Linux 2.6", P0F3 "Linux 2.6.x", 5840, 64, Q_USUAL, LINUX_LAYOUT(1460, 7)),
	CLIENT("Linux 2.6, Google's crawler", P0F3 "Linux 2.6.x (Google crawler)", 5720, 64, Q_ID,
	       LINUX_LAYOUT(1430, 6)),
	CLIENT("Linux 2.6, no scaling", SATORI "PCLinuxOS", 5840, 64, Q_USUAL, MSS(1460), SACK, TS),
	CLIENT("Linux 3.0", P0F3 "Linux 3.x", 14600, 64, Q_USUAL, LINUX_LAYOUT(1460, 4)),
	CLIENT("Linux 3.11", P0F3_P "Linux 3.11 and newer", 29200, 64, Q_USUAL, LINUX_LAYOUT(1460, 10)),
	CLIENT("Linux 3.10 (CentOS 7), no timestamps", SATORI "CentOS 7.5", 29200, 64, Q_USUAL, MSS(1380),
	       NOP, NOP, SACK, NOP, WS(9)),
	CLIENT("Linux 4", "p0f.fp of vladc/fp.ip-api.com: Linux 4x", 29200, 64, Q_USUAL,
	       LINUX_LAYOUT(1460, 9)),
	CLIENT("Linux 5 and 6", P0F3_P "Linux 5.x and newer", 64240, 64, Q_USUAL, LINUX_LAYOUT(1460, 7)),
	CLIENT("Linux 5 and 6 on PPPoE", P0F3_H "Linux", 63888, 64, Q_USUAL, LINUX_LAYOUT(1452, 10)),
	CLIENT("Linux, jumbo frames", JA4 "AWS Linux 2", 62727, 64, Q_USUAL, LINUX_LAYOUT(8961, 7)),
	CLIENT("Linux, loopback", P0F3 "Linux 3.x (loopback)", 32792, 64, Q_USUAL, LINUX_LAYOUT(16396, 4)),
	CLIENT("Linux, barebone", P0F3 "Linux 2.2.x-3.x (barebone)", 64240, 64, Q_USUAL, MSS(1460)),
	CLIENT("Linux on WSL, ECN", "tcp_ecn=1 on: " JA4 "WSL Ubuntu 22.04", 64240, 64, Q_USUAL | Q_ECN,
	       LINUX_LAYOUT(1460, 7)),
	CLIENT("Linux, accurate ECN", "RFC 9768, 3.1.1, on: " P0F3_P "Linux 5.x and newer", 64240, 64,
	       Q_USUAL | Q_ECN | Q_AE, LINUX_LAYOUT(1460, 7)),
	CLIENT("Linux, MPTCP", "RFC 8684, 3.1, on: " P0F3_P "Linux 5.x and newer", 64240, 64, Q_USUAL,
	       LINUX_LAYOUT(1460, 7), 30, 4, 0x01, 0x01),
	CLIENT("Linux, asks for a TFO cookie", "RFC 7413, 4.1.1, on: " P0F3_P "Linux 5.x and newer", 64240,
	       64, Q_USUAL, LINUX_LAYOUT(1460, 7), 34, 2, NOP, NOP),

	/* --- Android and small Linux devices --- */
	CLIENT("Android", P0F3 "Linux (Android)", 64240, 64, Q_USUAL, LINUX_LAYOUT(1460, 3)),
	CLIENT("Android 4.1", SATORI "Android 4.1", 13880, 60, Q_USUAL, LINUX_LAYOUT(1380, 4)),
	CLIENT("Android, mobile network", P0F3_H "Android", 65535, 64, Q_USUAL, LINUX_LAYOUT(1360, 9)),
	CLIENT("Android, ECN", P0F3_H "Android", 65535, 64, Q_USUAL | Q_ECN, LINUX_LAYOUT(1460, 10)),
	CLIENT("Android, scale 12", P0F3_H "Android", 65535, 64, Q_USUAL, LINUX_LAYOUT(1412, 12)),
	CLIENT("Android behind a proxy", P0F3_H "Android", 65535, 64, Q_USUAL, MSS(1220), NOP, WS(4), SACK,
	       TS),
	CLIENT("Amazon Fire TV", SATORI "Amazon Fire TV Stick", 14600, 64, Q_USUAL, LINUX_LAYOUT(1460, 6)),
	CLIENT("Raspberry Pi", SATORI "Linux Raspberrypi 3.12.x", 29200, 64, Q_USUAL, LINUX_LAYOUT(1460, 5)),
	CLIENT("Zaurus", P0F2 "Zaurus 3.10", 5840, 64, Q_USUAL, LINUX_LAYOUT(1452, 1)),

	/* --- Windows --- */
	CLIENT("Windows 3.11", P0F2 "Windows 3.11 (Tucows)", 8192, 32, Q_USUAL, MSS(1460)),
	CLIENT("Windows 95", P0F2 "Windows 95", 64240, 64, Q_USUAL, MSS(1460), NOP, WS(0), NOP, NOP, TS0, NOP,
	       NOP, SACK),
	CLIENT("Windows 98", P0F2 "Windows 98 (15)", 8192, 128, Q_USUAL, MSS(536), NOP, NOP, SACK),
	CLIENT("Windows NT 4.0", P0F2 "Windows NT 4.0 SP6a (2)", 64512, 128, Q_USUAL, MSS(1414)),
	CLIENT("Windows 2000", SATORI "Windows 2000", 16384, 128, Q_USUAL, MSS(1460), NOP, NOP, SACK),
	CLIENT("Windows XP", P0F3 "Windows XP", 65535, 128, Q_USUAL, MSS(1460), NOP, NOP, SACK),
	CLIENT("Windows XP, scaled", P0F3 "Windows XP", 65535, 128, Q_USUAL, WINDOWS_LAYOUT(2)),
	CLIENT("Windows XP, timestamps", P0F2 "Windows XP/2000 (RFC1323+, w, tstamp+)", 65535, 128, Q_USUAL,
	       MSS(1460), NOP, WS(0), NOP, NOP, TS0, NOP, NOP, SACK),
	CLIENT("Windows XP, timestamps only", P0F2 "Windows XP/2000 (RFC1323+, w-, tstamp+)", 65535, 128,
	       Q_USUAL, MSS(1460), NOP, NOP, TS0, NOP, NOP, SACK),
	CLIENT("Windows XP, downloading", P0F2 "Windows XP/2000 while downloading (leak!)", 65535, 128,
	       Q_USUAL | Q_URG_POINTER, MSS(1460), NOP, NOP, SACK),
	CLIENT("Windows XP over a VPN", P0F2 "Windows XP/2000 via Cisco", 65520, 128, Q_USUAL, MSS(1260), NOP,
	       NOP, SACK),
	CLIENT("Windows Server 2003", P0F2 "Windows 2003 AS", 32768, 32, Q_USUAL, WINDOWS_LAYOUT(0)),
	CLIENT_BARE("Windows .NET Server", P0F2 "Windows .NET Enterprise Server", 2048, 255, Q_ID),
	CLIENT("Windows Vista beta", P0F2 "Windows Vista (beta)", 8192, 128, Q_USUAL, MSS(1460), WS(8), NOP,
	       NOP, NOP, SACK),
	CLIENT("Windows Vista", SATORI "Windows Vista", 8192, 128, Q_DF, WINDOWS_LAYOUT(2)),
	CLIENT("Windows 7 or 8", P0F3 "Windows 7 or 8", 8192, 128, Q_USUAL, WINDOWS_LAYOUT(8)),
	CLIENT("Windows 7, timestamps", SATORI "Windows 7", 8192, 128, Q_USUAL, MSS(1460), NOP, WS(2), SACK,
	       TS),
	CLIENT("Windows Server 2008", SATORI "Windows Server 2008", 8192, 128, Q_USUAL, MSS(1260), NOP, WS(8),
	       NOP, NOP, SACK),
	CLIENT("Windows Server 2016", SATORI "Windows Server 2016", 8192, 128, Q_USUAL, MSS(1380), NOP, NOP,
	       SACK),
	CLIENT("Windows 10 or 11", JA4 "Windows 10", 64240, 128, Q_USUAL, WINDOWS_LAYOUT(8)),
	CLIENT("Windows 10, scale 3", SATORI "Windows 10 (14393)", 65535, 128, Q_USUAL, WINDOWS_LAYOUT(3)),
	CLIENT("Windows 10, PPPoE", P0F3_H "Windows 10", 65535, 128, Q_USUAL, MSS(1452), NOP, WS(8), NOP, NOP,
	       SACK),
	CLIENT("Windows 10, ECN", P0F3_H "Windows 10", 64240, 128, Q_USUAL | Q_ECN, WINDOWS_LAYOUT(8)),
	CLIENT("Windows 10, tunnel", P0F3_H "Windows 10", 65535, 128, Q_ID, MSS(1298), NOP, WS(8), NOP, NOP,
	       SACK),
	CLIENT("Windows 10, timestamps", P0F3_H "Windows 10", 65535, 128, Q_USUAL, MSS(1412), NOP, WS(8),
	       SACK, TS),
	CLIENT("Windows CE", P0F2 "Windows CE 2.0", 3100, 32, Q_USUAL, MSS(1460)),
	CLIENT("PocketPC 2002", P0F2 "PocketPC 2002", 32768, 128, Q_USUAL, MSS(1460), NOP, WS(0), NOP, NOP,
	       TS0, NOP, NOP, SACK),

	/* --- macOS and iOS --- */
	CLIENT("Mac OS 8.6, classic", P0F2 "MacOS 8.6 classic", 2920, 255, Q_USUAL, MSS(1460), WS(0), EOL),
	CLIENT("Mac OS 8.6, Open Transport", P0F2 "MacOS 8.1-8.6 (OTTCP)", 16616, 255, Q_USUAL, MSS(1460),
	       NOP, NOP, NOP, EOL),
	CLIENT("Mac OS 9", SATORI "Mac OS 9.x", 32768, 255, Q_USUAL, MSS(1460), WS(0), NOP),
	CLIENT("Mac OS X 10.2", SATORI "Mac OS X", 65535, 64, Q_USUAL, MSS(1460), NOP, WS(0), NOP, NOP, TS),
	CLIENT("Mac OS X 10.5", P0F3 "Mac OS X 10.x", 65535, 64, Q_USUAL, DARWIN_LAYOUT(1460, 3)),
	CLIENT("macOS 10.13", SATORI "Mac OS X 10.13.6", 65535, 64, Q_DF, DARWIN_LAYOUT(1380, 5)),
	CLIENT("macOS", JA4 "Mac OSX/iPhone", 65535, 64, Q_DF, DARWIN_LAYOUT(1460, 6)),
	CLIENT("macOS, ECN, no DF", P0F3_H "OS X", 65535, 64, Q_ECN, DARWIN_LAYOUT(1410, 6)),
	CLIENT("iOS, early", P0F3 "iOS iPhone or iPad", 65535, 64, Q_USUAL, DARWIN_LAYOUT(1460, 2)),
	CLIENT("iOS, scale 4", P0F3 "iOS iPhone or iPad", 65535, 64, Q_USUAL, DARWIN_LAYOUT(1460, 4)),
	CLIENT("iOS, ECN", P0F3_H "iOS", 65535, 64, Q_DF | Q_ECN, DARWIN_LAYOUT(1460, 6)),
	CLIENT("iOS, least MSS", P0F3_H "iOS", 65535, 64, Q_USUAL | Q_ECN, DARWIN_LAYOUT(1220, 6)),
	CLIENT("iOS behind a relay", P0F3_H "iOS", 65535, 64, Q_DF | Q_ECN, MSS(1460), NOP, WS(12), SACK, TS),
	CLIENT("Apple TV", SATORI "Apple TV", 65535, 64, Q_USUAL, DARWIN_LAYOUT(1460, 0)),

	/* --- BSD --- */
	CLIENT("FreeBSD 4.2", P0F2 "FreeBSD 2.0-4.2", 16384, 64, Q_USUAL, MSS(1460)),
	CLIENT("FreeBSD 4.9", P0F2 "FreeBSD 4.6-4.9", 57344, 64, Q_USUAL, MSS(1460), NOP, WS(0), NOP, NOP,
	       TS),
	CLIENT("FreeBSD 5.3", P0F2 "FreeBSD 5.3-5.4", 65535, 64, Q_USUAL, OPENBSD_LAYOUT(1)),
	CLIENT("FreeBSD 6", P0F2 "FreeBSD 6.x (1)", 65535, 64, Q_USUAL, DARWIN_LAYOUT(1460, 1)),
	CLIENT("FreeBSD 7.1, RFC 1323 off", SATORI "FreeBSD 7.1", 65535, 64, Q_USUAL, MSS(1460), SACK, EOL,
	       EOL),
	CLIENT("FreeBSD 8", P0F3 "FreeBSD 8.x", 65535, 64, Q_USUAL, MSS(1460), NOP, WS(3), SACK, TS),
	CLIENT("FreeBSD 9 and later", P0F3_P "FreeBSD 9.x or newer", 65535, 64, Q_USUAL, MSS(1460), NOP,
	       WS(6), SACK, TS),
	CLIENT("VMware ESX", SATORI "ESX 6.5", 65535, 64, Q_USUAL, MSS(1460), NOP, WS(9), SACK, TS),
	CLIENT("NetBSD 1.3", P0F2 "NetBSD 1.3", 16384, 64, Q_ID, MSS(1460), NOP, WS(0), NOP, NOP, TS),
	CLIENT("NetBSD 1.6", P0F2 "NetBSD 1.6", 16384, 64, Q_USUAL, MSS(1460), NOP, WS(0), NOP, NOP, TS0),
	CLIENT("NetBSD 2.0", P0F2 "NetBSD 2.0G (DF)", 32768, 64, Q_USUAL, MSS(1416), NOP, WS(0), SACK, NOP,
	       NOP, NOP, NOP, TS0),
	CLIENT("NetBSD 3.0", P0F2 "NetBSD 3.0 (DF)", 32768, 64, Q_USUAL, MSS(1460), NOP, WS(0), SACK, NOP,
	       NOP, NOP, NOP, TS0),
	CLIENT("OpenBSD 3", P0F3 "OpenBSD 3.x", 16384, 64, Q_USUAL, OPENBSD_LAYOUT(0)),
	CLIENT("OpenBSD 5", P0F3 "OpenBSD 4.x-5.x", 16384, 64, Q_USUAL, OPENBSD_LAYOUT(3)),
	CLIENT("OpenBSD 6.1", PF_OS "OpenBSD 6.1", 16384, 64, Q_USUAL, OPENBSD_LAYOUT(6)),
	CLIENT("OpenBSD 6.1, scrubbed", PF_OS "OpenBSD 6.1 (scrub no-df)", 16384, 64, Q_ID,
	       OPENBSD_LAYOUT(6)),
	CLIENT("DragonFly 2", PF_OS "DragonFly 2.4-2.7", 57344, 64, Q_ID, MSS(1460), NOP, WS(5), NOP, NOP,
	       SACK, NOP, NOP, TS),
	CLIENT("BSD/OS", P0F2 "BSD/OS 3.1-4.3", 8192, 64, Q_USUAL, MSS(1460), NOP, WS(0), NOP, NOP, TS),

	/* --- other systems --- */
	CLIENT("Solaris 2.6", SATORI "SunOS 5.6", 8760, 255, Q_USUAL, MSS(1460)),
	CLIENT("Solaris 8", P0F2 "Solaris 8 (1)", 24820, 64, Q_USUAL, NOP, NOP, SACK, MSS(1460)),
	CLIENT("Solaris 8, RFC 1323", P0F2 "Solaris 8 (RFC1323 on)", 24820, 64, Q_USUAL, NOP, WS(3), NOP, NOP,
	       TS0, NOP, NOP, SACK, MSS(1460)),
	CLIENT("Solaris 8, larger window", P0F3_P "Solaris 8", 32850, 64, Q_USUAL, NOP, WS(1), NOP, NOP, TS,
	       NOP, NOP, SACK, MSS(1460)),
	CLIENT("Solaris 9, no SACK", P0F2 "Solaris 9 (no sack)", 49640, 64, Q_USUAL, MSS(1460), NOP, NOP, NOP,
	       NOP),
	CLIENT("Solaris 10", P0F3 "Solaris 10", 49640, 64, Q_USUAL, WINDOWS_LAYOUT(0)),
	CLIENT("Solaris 10, timestamps", P0F2 "Solaris 10 (1203?)", 32850, 64, Q_USUAL, MSS(1460), NOP, NOP,
	       TS, NOP, WS(1), NOP, NOP, SACK),
	CLIENT("AIX 4.3", P0F2 "AIX 4.3.3-5.2 (1)", 16384, 64, Q_ID, MSS(512), NOP, WS(0), NOP, NOP, TS),
	CLIENT("AIX 5.3", P0F2 "AIX 5.3 ML1", 65535, 64, Q_ID, MSS(1460), NOP, WS(1), NOP, NOP, TS, NOP, NOP,
	       SACK),
	CLIENT("IRIX 6.5", P0F2 "IRIX 6.5 (RFC1323+) (1)", 49152, 60, Q_ID, WINDOWS_LAYOUT(2)),
	CLIENT("HP-UX 11", P0F2 "HP-UX 11.00-11.11", 32768, 64, Q_USUAL, MSS(1460), WS(0), NOP),
	CLIENT("HP-UX 11, window 0", P0F2 "HP-UX B.11.00 A (RFC1323+)", 0, 64, Q_ID, MSS(1460), WS(0), NOP),
	CLIENT("Tru64", P0F3 "Tru64 4.x", 32768, 64, Q_USUAL, MSS(1460), NOP, WS(0)),
	CLIENT("OpenVMS 8", P0F3 "OpenVMS 8.x", 3000, 128, Q_ID, MSS(1460), NOP, WS(0)),
	CLIENT_BARE("ULTRIX", P0F2 "ULTRIX 4.5", 16384, 64, Q_ID),
	CLIENT("NeXTSTEP", P0F3 "NeXTSTEP", 4096, 64, Q_ID, MSS(1024)),
	CLIENT("TOPS-20", P0F2 "TOPS-20 version 7", 0, 64, Q_ID | Q_ACK_NUMBER, MSS(1460)),
	CLIENT("NetWare 6", P0F2 "Novell Netware 6 SP3", 6144, 128, Q_USUAL, MSS(1460), WS(0), NOP, SACK, NOP,
	       NOP),
	CLIENT("QNX 6", P0F2 "QNX 6.x", 16384, 64, Q_ID, MSS(1460), NOP, WS(0), NOP, NOP, TS0),
	CLIENT("RISC OS", P0F2 "RISC OS 3.70-4.36 (inet 5.04)", 16384, 64, Q_USUAL, MSS(1460), NOP, WS(0),
	       NOP, NOP, TS, NOP, NOP, CC_NEW),
	CLIENT("Amiga, Miami", P0F2 "AMIGA 3.9 BB2 with Miami stack", 46720, 64, Q_USUAL, MSS(1460), NOP, NOP,
	       SACK, NOP, NOP, CC_NEW),
	CLIENT("AmigaOS, MiamiDX", P0F2 "AMIGAOS 3.9 BB2 MiamiDX", 16384, 64, Q_USUAL, MSS(1560), NOP, NOP,
	       SACK),
	CLIENT("Plan 9", P0F2 "Plan9 edition 4", 65535, 255, Q_ID, MSS(1460), WS(0), NOP),
	CLIENT("OS/400", P0F2 "OS/400 V4R4/R5", 8192, 64, Q_USUAL, MSS(1440), NOP, WS(0), NOP, NOP, TS),

	/* --- embedded stacks, consoles, printers, telephones --- */
	CLIENT("uIP (Contiki)", P0F2 "Contiki 1.1-rc0", 346, 255, Q_ID, MSS(346)),
	CLIENT("lwIP, as it comes", "lwIP 2.1 (opt.h, tcp_out.c)", 2144, 255, Q_ID, MSS(536)),
	CLIENT("lwIP, all options", "lwIP 2.1 (tcp_out.c)", 65535, 255, Q_ID, MSS(1460), NOP, NOP, TS, NOP,
	       WS(1), NOP, NOP, SACK),
	CLIENT("FreeRTOS+TCP", "FreeRTOS_TCP_Transmission_IPv4.c (prvSetSynAckOptions)", 5840, 128, Q_ID,
	       WINDOWS_LAYOUT(0)),
	CLIENT("Palm OS 3", P0F2 "PalmOS 3/4", 2680, 255, Q_ID, MSS(536)),
	CLIENT("Palm OS 5", P0F2 "PalmOS 5.2.1 (Treo)", 18900, 255, Q_ID, MSS(1350)),
	CLIENT("Symbian 7", P0F2 "SymbianOS 7", 33580, 64, Q_USUAL, NOP, WS(1), NOP, NOP, TS, NOP, NOP, SACK,
	       MSS(1460)),
	CLIENT("Symbian, Sony Ericsson P800", P0F2 "SymbianOS ? (SE P800?)", 32120, 64, Q_USUAL, MSS(1460),
	       TS, SACK),
	CLIENT("Symbian, Nokia", P0F2 "SymbianOS 60xx", 48960, 64, Q_USUAL, MSS(1360), TS, SACK, WS(0), EOL),
	CLIENT("BlackBerry", P0F3 "Blackberry", 65535, 128, Q_ID, MSS(1452), NOP, NOP, SACK, NOP, NOP, TS),
	CLIENT("Nintendo 3DS", P0F3 "Nintendo 3DS", 32768, 64, Q_USUAL, MSS(1360), NOP, NOP, SACK),
	CLIENT("Nintendo Wii", P0F3 "Nintendo Wii", 32768, 64, Q_USUAL, MSS(1460), NOP, NOP, SACK),
	CLIENT("Sony PlayStation 2", P0F2 "Sony Playstation 2 (SOCOM?)", 32120, 64, Q_USUAL, MSS(1460)),
	CLIENT("Sega Dreamcast", P0F2 "Sega Dreamcast HKT-3020", 2880, 64, Q_ID, MSS(536)),
	CLIENT("AXIS print server", P0F2 "AXIS Printer Server 5600 v5.64", 17424, 64, Q_ID, MSS(1452)),
	CLIENT("Brother printer", SATORI "Brother DCP 7065DN", 8688, 64, Q_ID, MSS(1460), NOP, WS(0), NOP,
	       NOP, SACK, NOP, NOP, TS),
	CLIENT("NETGEAR WGR614v6 router", SATORI "NETGEAR WGR614v6", 8192, 64, Q_ID, MSS(1460), NOP, WS(0),
	       NOP, NOP, TS),
	CLIENT("Cisco telephone", SATORI "Cisco IP Phone", 1400, 64, Q_ID, MSS(1400)),
	CLIENT("Cisco IOS", P0F2 "Cisco IOS 11.0", 2144, 255, 0, MSS(536)),
	CLIENT("FortiGate", P0F2 "FortiNet FortiGate 50", 5840, 64, Q_USUAL, WS(0), NOP, SACK, TS, MSS(1460)),
	CLIENT("Check Point", P0F2 "Checkpoint (unknown 2)", 17520, 64, Q_USUAL, NOP, NOP, SACK, MSS(1460)),
	CLIENT("Nokia IPSO", P0F2 "Nokia IPSO 3.7 build 026", 16384, 64, Q_ID, MSS(1024), NOP, WS(0), NOP,
	       NOP, TS, NOP, NOP, CC_NEW),
	CLIENT("Big-IP", SATORI "Big-IP Load Balancer Unknown Version", 4176, 255, Q_USUAL, MSS(1392), NOP,
	       NOP, TS, SACK, EOL, EOL),
	CLIENT("Inktomi's crawler", P0F2 "Inktomi crawler", 65535, 255, Q_USUAL, NOP, WS(1), MSS(1460)),

	/* --- what a middlebox left over --- */
	CLIENT("timestamps overwritten with NOPs", P0F3 "BaiduSpider", 5840, 64, Q_USUAL, MSS(1460), SACK,
	       NOP_11, WS(7)),
	CLIENT("scale overwritten with NOPs", P0F2 "CacheFlow CacheOS 1.1", 8192, 64, Q_ID, MSS(1380), NOP,
	       NOP, NOP, NOP, NOP, NOP, TS),
	CLIENT("SACK overwritten with NOPs", PF_OS "LinkSys WRV54G VPN router", 65520, 128, Q_USUAL,
	       MSS(1260), NOP, NOP, NOP, NOP),
	CLIENT("all but the MSS overwritten", SATORI "Linux 2.4.x", 5840, 64, Q_DF, MSS(1460), EOL_4, EOL_4,
	       EOL_4, EOL_4),
	CLIENT("SACK removed, MSS clamped", P0F3 "Windows 7 (Websense crawler)", 5520, 64, Q_USUAL, MSS(1380),
	       NOP, NOP, TS, NOP, WS(7)),
	CLIENT("MSS clamped for PPPoE", P0F3_H "OS X", 65535, 64, 0, DARWIN_LAYOUT(1452, 6)),
	CLIENT("MSS clamped for a tunnel", P0F3_P "Linux (Android)", 65535, 64, Q_USUAL,
	       LINUX_LAYOUT(1250, 8)),
	CLIENT_BARE("all options removed", P0F2 "Dell PowerApp cache (Linux-based)", 27085, 128, Q_ID),

	/* --- scanners: nobody's customers, but they must not come through otherwise than they asked --- */
	CLIENT("nmap", P0F3 "NMap SYN scan", 1024, 64, Q_ID, MSS(1460)),
	CLIENT_BARE("nmap, before 5", P0F2 "NMAP syn scan (1)", 1024, 64, Q_ID),
	CLIENT_BARE("ZMap", JA4 "Zmap; zmap/src/probe_modules/packet.c", 65535, 255, Q_ID),
	CLIENT("nmap, probe 1", P0F3 "NMap OS detection", 1, 64, Q_ID | Q_ACK_NUMBER, WS(10), NOP, MSS(1460),
	       TS_ONES, SACK),
	CLIENT("nmap, probe 2", P0F3 "NMap OS detection", 63, 64, Q_ID | Q_ACK_NUMBER, MSS(1400), WS(0), SACK,
	       TS_ONES, EOL),
	CLIENT("nmap, probe 3", P0F3 "NMap OS detection", 4, 64, Q_ID | Q_ACK_NUMBER, TS_ONES, NOP, NOP,
	       WS(5), NOP, MSS(640)),
	CLIENT("nmap, probe 4", P0F3 "NMap OS detection", 4, 64, Q_ID | Q_ACK_NUMBER, SACK, TS_ONES, WS(10),
	       EOL),
	CLIENT("nmap, probe 5", P0F3 "NMap OS detection", 16, 64, Q_ID | Q_ACK_NUMBER, MSS(536), SACK,
	       TS_ONES, WS(10), EOL),
	CLIENT("nmap, probe 6", P0F3 "NMap OS detection", 512, 64, Q_ID | Q_ACK_NUMBER, MSS(265), SACK,
	       TS_ONES),
	CLIENT("nmap, probe for ECN", P0F3 "NMap OS detection; nmap.org, TCP/IP fingerprinting methods", 3,
	       64, Q_ID | Q_ECN | Q_AE | Q_URG_POINTER, WS(10), NOP, MSS(1460), SACK, NOP, NOP),
	CLIENT("p0f-sendsyn", P0F3 "p0f sendsyn utility", 1337, 192, Q_ID, MSS(1331), WS(5), SACK, TS, NOP,
	       EOL_4),
};

#endif
