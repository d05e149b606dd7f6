// SPDX-License-Identifier: Apache-2.0
// The console: the feed on one side, SQL on the other. All text from the server enters the page
// through textContent; all addresses are relative, so it works below any path.
"use strict";

const byId = (id) => document.getElementById(id);

function element(name, className, text) {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

// Integers may have more digits than a JavaScript number: they are kept as text.
function parseExact(text) {
  return JSON.parse(text.replace(
    /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/g,
    (token) => (/^-?\d{16,}$/.test(token) ? '"' + token + '"' : token)));
}

// A page cannot hold any result: what is larger than this is asked for with a LIMIT.
const answerBytesMax = 32 << 20;

async function readText(response) {
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  const pieces = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.length;
    if (bytes > answerBytesMax) {
      reader.cancel();
      throw { detail: "the result is larger than the 32 MiB that this page takes",
        hint: "add a LIMIT, or write it to a file: plaza sql --format csv '…' > result.csv" };
    }
    pieces.push(decoder.decode(value, { stream: true }));
  }
  pieces.push(decoder.decode());
  return pieces.join("");
}

async function call(method, path, body, options = {}) {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = options.type || "application/json";
  let response;
  try {
    response = await fetch(path, { method, headers, body, signal: options.signal, cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw { detail: "stopped" };
    throw { detail: "the server does not answer" };
  }
  let text;
  try {
    text = response.body ? await readText(response) : "";
  } catch (error) {
    if (error.detail) throw error;
    throw { detail: error.name === "AbortError" ? "stopped" : "the result was broken off: it is not complete" };
  }
  const isJson = (response.headers.get("Content-Type") || "").includes("json");
  const answer = isJson && text ? parseExact(text) : null;
  if (!response.ok) throw answer || { detail: "the server answered " + response.status };
  return answer;
}

// What the page keeps over a reload. A browser may forbid it; then nothing is kept.
function keep(storage, name, value) {
  try {
    window[storage].setItem("plaza." + name, value);
  } catch (error) { /* not kept */ }
}

function kept(storage, name) {
  try {
    return window[storage].getItem("plaza." + name);
  } catch (error) {
    return null;
  }
}

async function showTables() {
  let text;
  try {
    const answer = await call("GET", "v1/tables");
    text = answer.tables.map((t) => t.name + " " + Number(t.row_count).toLocaleString()).join(" · ");
  } catch (problem) {
    text = "the server does not answer";
  }
  byId("state").textContent = text;
}

// ---- the feed ---------------------------------------------------------------------------------

let nextCursor = null;
let feedTurn = 0; // of two loads under way only the newer one may show its page
const liked = new Set(); // what this page liked, "message/user"
const likeShows = new Set(); // redraw the like buttons, which speak of who "you are"

function showTime(text) {
  const time = element("time", "", new Date(text).toLocaleString());
  time.dateTime = text;
  time.title = text;
  return time;
}

function count(number, one, many) {
  return Number(number).toLocaleString() + " " + (String(number) === "1" ? one : many);
}

// Text of any length; much of it scrolls in a box of its own.
function longText(name, text) {
  const node = element(name, text.length > 1000 || text.split("\n").length > 20 ? "long" : "", text);
  if (node.className) node.tabIndex = 0;
  return node;
}

function likeButton(message, likes) {
  const button = element("button", "quiet", "Like");
  button.type = "button";
  const key = () => message.message_id + "/" + byId("me").value;
  const show = () => {
    const on = liked.has(key());
    button.setAttribute("aria-pressed", String(on));
    button.textContent = on ? "Liked" : "Like";
    likes.textContent = count(message.likes, "like", "likes");
  };
  button.addEventListener("click", async () => {
    const path = "v1/messages/" + message.message_id + "/likes/" + encodeURIComponent(byId("me").value);
    button.disabled = true;
    try {
      if (liked.has(key())) {
        await call("DELETE", path);
        liked.delete(key());
        message.likes = (await call("GET", "v1/messages/" + message.message_id)).likes;
      } else {
        message.likes = (await call("PUT", path)).likes;
        liked.add(key());
      }
      showFeedProblem(null);
    } catch (problem) {
      showFeedProblem(problem);
    }
    button.disabled = false;
    show();
  });
  show();
  likeShows.add(show);
  return button;
}

function messageItem(message) {
  const item = element("li");
  const head = element("div", "head");
  head.append(element("strong", "", message.user_id), showTime(message.created_at));
  const foot = element("div", "foot");
  const likes = element("span");
  foot.append(likeButton(message, likes), likes,
    element("span", "", count(message.views, "view", "views")),
    element("span", "", "no. " + message.message_id));
  item.append(head, longText("p", message.body), foot);
  return item;
}

function showFeedProblem(problem) {
  const box = byId("feed-problem");
  box.hidden = !problem;
  box.textContent = problem ? sentence(problem) : "";
}

function sentence(problem) {
  return (problem.detail || String(problem)) + (problem.hint ? " (" + problem.hint + ")" : "");
}

async function loadFeed(fromStart) {
  const turn = ++feedTurn;
  const params = new URLSearchParams({ limit: "20" });
  if (!fromStart && nextCursor) params.set("cursor", nextCursor);
  const only = byId("only").value.trim();
  if (only) params.set("user_id", only);
  try {
    const page = await call("GET", "v1/messages?" + params);
    if (turn !== feedTurn) return;
    const items = byId("items");
    if (fromStart) {
      items.replaceChildren();
      likeShows.clear();
    }
    items.append(...page.items.map(messageItem));
    nextCursor = page.next;
    byId("more").hidden = !nextCursor;
    byId("feed-empty").hidden = items.childElementCount > 0;
    byId("feed-empty").textContent = only ? only + " has posted nothing."
      : "Nobody has posted yet. Be the first.";
    showFeedProblem(null);
  } catch (problem) {
    if (turn === feedTurn) showFeedProblem(problem);
  }
}

async function post(event) {
  event.preventDefault();
  const text = byId("text");
  const send = byId("send");
  if (send.disabled) return;
  send.disabled = true; // a second click must not post twice
  try {
    await call("POST", "v1/messages", JSON.stringify({ user_id: byId("me").value, body: text.value }));
    text.value = "";
    await loadFeed(true);
    showTables();
  } catch (problem) {
    showFeedProblem(problem);
  }
  send.disabled = false;
}

// In the text that `area` holds, Ctrl+Enter sends its form.
function submitByKey(area) {
  area.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      area.form.requestSubmit();
    }
  });
}

// ---- SQL --------------------------------------------------------------------------------------

const examples = [
  ["Messages per day",
    "SELECT CAST(created_at AS DATE) AS day, count(*) AS messages\nFROM messages\nGROUP BY 1\nORDER BY 1 DESC\nLIMIT 30"],
  ["Most liked",
    "SELECT message_id, sum(delta) AS likes\nFROM likes\nGROUP BY message_id\nORDER BY likes DESC\nLIMIT 20"],
  ["Views and watch time per day",
    "SELECT CAST(viewed_at AS DATE) AS day, count(*) AS views, sum(watch_ms) / 1000 AS watch_seconds\nFROM views\nGROUP BY 1\nORDER BY 1 DESC\nLIMIT 30"],
  ["Busiest users",
    "SELECT user_id, count(*) AS messages\nFROM messages\nGROUP BY user_id\nORDER BY messages DESC\nLIMIT 20"],
  ["Devices",
    "SELECT device, count(*) AS views, avg(watch_ms) AS mean_watch_ms\nFROM views\nGROUP BY device\nORDER BY views DESC"],
  ["Tables", "SHOW TABLES"],
];
const rowsShown = 1000;
let running = null;

function cell(value, type) {
  if (value === null) return element("td", "null", "NULL");
  if (type === "BIGINT" || type === "DOUBLE") return element("td", "number", String(value));
  if (type === "TIMESTAMP" || type === "DATE") return element("td", "time", String(value));
  const td = element("td");
  td.append(longText("div", String(value)));
  return td;
}

function showResult(answer) {
  const table = element("table");
  const head = table.createTHead().insertRow();
  for (const column of answer.columns) {
    const th = element("th", "", column.name);
    th.scope = "col";
    th.append(element("small", "", column.type.toLowerCase()));
    head.append(th);
  }
  const body = table.createTBody();
  for (const row of answer.rows.slice(0, rowsShown)) {
    body.insertRow().append(...row.map((value, i) => cell(value, answer.columns[i].type)));
  }
  byId("result").replaceChildren(...(answer.columns.length ? [table] : []));
}

function showFigures(answer) {
  const stats = answer.stats || {};
  const parts = [];
  if (answer.affected !== undefined) parts.push(count(answer.affected, "row changed", "rows changed"));
  else parts.push(count(answer.row_count, "row", "rows"));
  if (answer.rows.length > rowsShown) parts.push("the first " + rowsShown + " are shown");
  if (stats.elapsed_ms !== undefined) parts.push(Number(stats.elapsed_ms).toFixed(1) + " ms");
  if (stats.rows_scanned !== undefined) parts.push(count(stats.rows_scanned, "row scanned", "rows scanned"));
  if (stats.commit !== undefined) parts.push("commit " + stats.commit);
  byId("figures").textContent = parts.join(" · ");
}

// The statement's line with the place marked, then the hint.
function showSqlProblem(problem, statement) {
  const box = byId("sql-problem");
  box.replaceChildren(element("p", "", (problem.code ? problem.code + ": " : "") + (problem.detail || String(problem))));
  if (problem.line) {
    const line = Array.from(statement.split("\n")[problem.line - 1] || "");
    const at = problem.column - 1;
    const pre = element("pre");
    pre.append("line " + problem.line + ": " + line.slice(0, at).join(""),
      element("mark", "", line.slice(at, at + 1).join("") || " "), line.slice(at + 1).join(""));
    box.append(pre);
  }
  if (problem.hint) box.append(element("p", "", "Hint: " + problem.hint));
  box.hidden = false;
  if (problem.position) {
    const before = Array.from(statement).slice(0, problem.position - 1).join("").length;
    byId("statement").setSelectionRange(before, before + 1);
  }
}

async function run() {
  if (running) return;
  const statement = byId("statement").value;
  keep("sessionStorage", "statement", statement);
  running = new AbortController();
  byId("run").disabled = true;
  byId("stop").hidden = false;
  byId("sql-problem").hidden = true;
  byId("figures").textContent = "running…";
  try {
    const answer = await call("POST", "v1/sql", statement, { type: "application/sql", signal: running.signal });
    if (!answer.complete) throw { detail: "the result was broken off: it is not complete" };
    showResult(answer);
    showFigures(answer);
    if (answer.affected !== undefined) showTables();
  } catch (problem) {
    byId("figures").textContent = "";
    byId("result").replaceChildren();
    showSqlProblem(problem, statement);
  }
  running = null;
  byId("run").disabled = false;
  byId("stop").hidden = true;
}

// ---- the page ---------------------------------------------------------------------------------

function showView() {
  const isSql = location.hash === "#sql";
  document.body.classList.toggle("shows-sql", isSql);
  byId("nav-sql").setAttribute("aria-current", isSql ? "page" : "false");
  byId("nav-feed").setAttribute("aria-current", isSql ? "false" : "page");
}

function start() {
  byId("post").addEventListener("submit", post);
  byId("filter").addEventListener("submit", (event) => {
    event.preventDefault();
    loadFeed(true);
    showTables();
  });
  byId("only").addEventListener("change", () => loadFeed(true));
  byId("me").value = kept("localStorage", "me") || "alice";
  byId("me").addEventListener("input", () => {
    keep("localStorage", "me", byId("me").value);
    likeShows.forEach((show) => show());
  });
  byId("more").addEventListener("click", () => loadFeed(false));
  byId("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    run();
  });
  byId("stop").addEventListener("click", () => running && running.abort());
  submitByKey(byId("text"));
  submitByKey(byId("statement"));
  for (const [name, statement] of examples) {
    const button = element("button", "quiet", name);
    button.type = "button";
    button.addEventListener("click", () => {
      byId("statement").value = statement;
      run();
    });
    byId("examples").append(button);
  }
  byId("statement").value = kept("sessionStorage", "statement") || examples[0][1];
  addEventListener("hashchange", showView);
  showView();
  loadFeed(true);
  showTables();
}

start();
