// What runs in the browser, started in order: who is here, what htmx fetches, what reacts to hands.
import "./fragments.js";
import "./acts.js";
import "./ad_beacons.js";
import "./forecasting.js";
import "./forms.js";
import "./going.js";
import "./keys.js";
import "./playing.js";
import "./progress.js";
import { open } from "./fragments.js";

open(document.getElementById("stage").dataset.fragment);
