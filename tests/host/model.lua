-- What tests/host/net.h does, from Lua:  mlpl tests/host/model.lua EPOCHS MODEL PREDICTIONS
-- writes the model, and the predictions as they lie in memory.

local mlpl = require "mlpl"
local nn, optim, data = mlpl.nn, mlpl.optim, mlpl.data

local epochs, model_file, predictions_file = ...

mlpl.seed(42)
local digits = assert(data.csv("examples/data/digits.csv.gz", { labels = -1 }))
local train, test = digits:split(0.8, { shuffle = true, stratify = true })
local model = nn.Sequential { nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10) }
local opt = optim.Adam(model:parameters(), { lr = 0.01 })

for _ = 1, epochs do
  for x, y in train:batches { size = 32, shuffle = true } do
    local loss = nn.cross_entropy(model(x), y)
    opt:zero_grad()
    loss:backward()
    opt:step()
  end
end

model:save(model_file)
local file <close> = assert(io.open(predictions_file, "wb"))
for _, row in ipairs(model:predict(test.x):totable()) do
  for _, score in ipairs(row) do file:write(("f"):pack(score)) end
end
