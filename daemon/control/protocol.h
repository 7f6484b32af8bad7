/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon and its clients agree on: where the socket is, how large a message may be, and the names of
 * methods and errors. Their parameters are described in io.synmoat.varlink.
 */
#ifndef SYNMOAT_CONTROL_PROTOCOL_H
#define SYNMOAT_CONTROL_PROTOCOL_H

#define CONTROL_SOCKET "/run/synmoat/control.sock"

/* JSON text without its terminating NUL; requests and replies alike, longer replies come in parts (`more`).
 */
#define MESSAGE_MAX 65536

#define FLOWS_LIMIT_MAX 2097152 /* of ListFlows */

#define METHOD_STATUS		"io.synmoat.Status"
#define METHOD_LIST_SERVICES	"io.synmoat.ListServices"
#define METHOD_GET_SERVICE	"io.synmoat.GetService"
#define METHOD_SET_SERVICE_MODE "io.synmoat.SetServiceMode"
#define METHOD_LIST_INTERFACES	"io.synmoat.ListInterfaces"
#define METHOD_ATTACH_INTERFACE "io.synmoat.AttachInterface"
#define METHOD_DETACH_INTERFACE "io.synmoat.DetachInterface"
#define METHOD_SHOW_CONFIG	"io.synmoat.ShowConfig"
#define METHOD_RELOAD		"io.synmoat.Reload"
#define METHOD_ROTATE_KEY	"io.synmoat.RotateKey"
#define METHOD_SET_BYPASS	"io.synmoat.SetBypass"
#define METHOD_DRAIN		"io.synmoat.Drain"
#define METHOD_ADD_ENTRY	"io.synmoat.AddEntry"
#define METHOD_REMOVE_ENTRY	"io.synmoat.RemoveEntry"
#define METHOD_LIST_ENTRIES	"io.synmoat.ListEntries"
#define METHOD_FLUSH_ENTRIES	"io.synmoat.FlushEntries"
#define METHOD_IMPORT_ENTRIES	"io.synmoat.ImportEntries"
#define METHOD_LIST_STATUS	"io.synmoat.ListStatus"
#define METHOD_TEST_ADDRESS	"io.synmoat.TestAddress"
#define METHOD_LIST_FLOWS	"io.synmoat.ListFlows"
#define METHOD_GET_FLOW		"io.synmoat.GetFlow"
#define METHOD_KILL_FLOW	"io.synmoat.KillFlow"
#define METHOD_LIST_LIMITS	"io.synmoat.ListLimits"
#define METHOD_SET_LIMIT	"io.synmoat.SetLimit"
#define METHOD_LIST_SOURCES	"io.synmoat.ListSources"
#define METHOD_METRICS		"io.synmoat.Metrics"
#define METHOD_SYN_RECV		"io.synmoat.SynRecv"
#define METHOD_DOCTOR		"io.synmoat.Doctor"
#define METHOD_LIST_ATTACKS	"io.synmoat.ListAttacks"
#define METHOD_LIST_EVENTS	"io.synmoat.ListEvents"
#define METHOD_LIST_EVENT_KINDS "io.synmoat.ListEventKinds"
#define METHOD_VERSION		"io.synmoat.Version"

#define METHOD_GET_INFO			 "org.varlink.service.GetInfo"
#define METHOD_GET_INTERFACE_DESCRIPTION "org.varlink.service.GetInterfaceDescription"

#define ERROR_PERMISSION_DENIED "io.synmoat.PermissionDenied"
#define ERROR_NO_SUCH_SERVICE	"io.synmoat.NoSuchService"
#define ERROR_NO_SUCH_FLOW	"io.synmoat.NoSuchFlow"
#define ERROR_TRACKING_OFF	"io.synmoat.TrackingOff"
#define ERROR_NO_SUCH_INTERFACE "io.synmoat.NoSuchInterface"
#define ERROR_INTERFACE_MISSING "io.synmoat.InterfaceMissing"
#define ERROR_INTERFACE_BUSY	"io.synmoat.InterfaceBusy"
#define ERROR_NO_SUCH_ENTRY	"io.synmoat.NoSuchEntry"
#define ERROR_WOULD_CUT_OFF	"io.synmoat.WouldCutOff"
#define ERROR_CONFIG		"io.synmoat.ConfigError"
#define ERROR_BAD_LIMIT		"io.synmoat.BadLimit"
#define ERROR_BAD_VALUE		"io.synmoat.BadValue"
#define ERROR_FAILED		"io.synmoat.Failed"
#define ERROR_INVALID_MESSAGE	"io.synmoat.InvalidMessage"
#define ERROR_MESSAGE_TOO_LARGE "io.synmoat.MessageTooLarge"
#define ERROR_TOO_MANY_CLIENTS	"io.synmoat.TooManyClients"

#define ERROR_INTERFACE_NOT_FOUND "org.varlink.service.InterfaceNotFound"
#define ERROR_METHOD_NOT_FOUND	  "org.varlink.service.MethodNotFound"
#define ERROR_INVALID_PARAMETER	  "org.varlink.service.InvalidParameter"
#define ERROR_EXPECTED_MORE	  "org.varlink.service.ExpectedMore"

#endif
