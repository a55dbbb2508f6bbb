import { config } from "zod";

// A parser compiled for a schema that is used once costs more than it saves. Schemas ask when they are made: whoever makes
// some imports this before all others.
config({ jitless: true });
