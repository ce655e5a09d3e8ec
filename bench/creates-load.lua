-- What each of wrk's connections posts, over and over: calls.create, with another From number each time.
-- Arguments: the value of Authorization, how many From numbers, the file that takes the sid of every 201.
local froms, sids, count = 1, nil, 0
local threads = {}
created, refused, refusal = 0, 0, ""

function setup(thread) table.insert(threads, thread) end

function init(arguments)
  wrk.method = "POST"
  wrk.headers["Authorization"] = arguments[1]
  wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
  froms = tonumber(arguments[2])
  sids = io.open(arguments[3], "a")
end

function request()
  count = count + 1
  local body = string.format(
    "To=%%2B1415555%04d&From=%%2B1202555%04d&Url=http%%3A%%2F%%2F127.0.0.1%%3A9%%2Fvoice%%3Forder%%3D%d" ..
    "&StatusCallback=http%%3A%%2F%%2F127.0.0.1%%3A9%%2Fstatus&Timeout=30", count % 10000, count % froms, count)
  return wrk.format(nil, nil, nil, body)
end

function response(status, headers, body)
  local sid = status == 201 and string.match(body, '"sid":"(CA%x+)"')
  if sid then
    created = created + 1
    sids:write(sid, "\n")
  else
    refused = refused + 1
    if refused == 1 then refusal = status .. " " .. string.sub(body, 1, 200) end
  end
end

function done(summary, latency)
  local all, bad, first = 0, 0, ""
  for _, thread in ipairs(threads) do
    all = all + thread:get("created")
    bad = bad + thread:get("refused")
    if first == "" then first = thread:get("refusal") end
  end
  local errors = summary.errors
  print(string.format('{"seconds":%f,"created":%d,"refused":%d,"broken":%d,"p50":%f,"p99":%f,"p999":%f,"max":%f}',
    summary.duration / 1e6, all, bad, errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency:percentile(99.9) / 1e3, latency.max / 1e3))
  if first ~= "" then io.stderr:write("refused: " .. first .. "\n") end
end
