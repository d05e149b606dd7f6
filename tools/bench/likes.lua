-- SPDX-License-Identifier: Apache-2.0
-- Likes at random for wrk: nine in ten on the newest 2,000 messages, each by a random user.
-- Arguments: the number of messages, the number of users, a seed (another one for each run, or the
-- likes of a run stand already).

local threads = 0

function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end

function init(args)
    messages = tonumber(args[1])
    users = tonumber(args[2])
    math.randomseed(tonumber(args[3]) * 1000 + number)
    for _ = 1, 10 do math.random() end
end

function request()
    local message
    if math.random() < 0.9 then
        message = messages - math.random(0, math.min(1999, messages - 1))
    else
        message = math.random(1, messages)
    end
    return wrk.format("PUT", "/v1/messages/" .. message .. "/likes/user" .. math.random(1, users))
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        'BENCH {"requests":%d,"seconds":%.3f,"p50_ms":%.3f,"p99_ms":%.3f,"max_ms":%.3f,' ..
        '"refused":%d,"broken":%d}\n',
        summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
        latency:percentile(99) / 1e3, latency.max / 1e3, errors.status,
        errors.connect + errors.read + errors.write + errors.timeout))
end
