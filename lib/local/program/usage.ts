/** What `--help` says. */
export const USAGE = `A hub on this machine that behaves like Azure IoT Hub.

Usage: iothub-local-hub [options]

Where it listens
  --host ADDRESS       the address to listen at (127.0.0.1, which only this machine reaches)
  --name NAME          the hub's host name, which clients must be able to resolve (localhost)
  --https PORT         HTTPS, and WebSockets for AMQP and MQTT (443 if it may, else 8443)
  --amqps PORT         AMQP with TLS (5671)
  --mqtts PORT         MQTT with TLS (8883)
  --http PORT, --amqp PORT, --mqtt PORT
                       the same without TLS (none)
                       Port 0 stands for a free one.

Who may connect
  --key NAME=KEY       the key of a shared access policy in base64, such as iothubowner=…; may be repeated. Other users
                       of the machine see arguments, so rather set IOTHUB_LOCAL_KEYS to such pairs with spaces between.
                       Keys that are not given are new with every run, unless there is --data.
  --authority FILE     the certificate of an authority, in PEM, whose devices are let in; may be repeated

What it keeps
  --folder FOLDER      where its certificate is kept (.iothub-local-hub in the home folder)
  --data FILE          all that the hub is told, in a SQLite file that is made if need be, so that it is there again in
                       the next run. Without it, nothing is kept.
  --seed FILE          identities to begin with, in the format of exports (devices.txt)

What it says
  --show KIND,…        which events, out of operation, deviceAct, message, methodCall, desiredChange, connection,
                       refusedSignIn, or none (all of them)
  --device ID          only events of this device; may be repeated
  --json               everything as JSON, one object a line
  --help, --version

What clients need is written to the standard output, ready to paste into a shell, and what happens to the standard
error. The hub ends with Ctrl-C. Exit codes: 0 ended as told, 1 failed, 2 wrong options.
`;
