/** The hub's program as it is started, for tests that run it in a process of its own. */
import "../../lib/local/main.ts";
