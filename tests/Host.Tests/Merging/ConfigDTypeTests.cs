using Host.Tests.Planning;
using Merge.Merging;
using Merge.Sdk;

namespace Host.Tests.Merging;

public sealed class ConfigDTypeTests : IDisposable
{
    private readonly TestModels _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(DType.F64, "float64")]
    [InlineData(DType.F32, "float32")]
    [InlineData(DType.F16, "float16")]
    [InlineData(DType.BF16, "bfloat16")]
    public void The_dtype_is_set_where_the_config_says_one(DType dtype, string name)
    {
        Assert.Equal(
            $$"""{"a": "é", "torch_dtype": "{{name}}", "b": 1e400}""",
            Set("""{"a": "é", "torch_dtype": "float8", "b": 1e400}""", dtype));
        Assert.Equal($$"""{ "dtype" : "{{name}}" }""", Set("""{ "dtype" : "float8" }""", dtype));
    }

    [Theory]
    [InlineData("""{"hidden_size": 8}""")]
    [InlineData("{\n  \"torch_dtype\": \"float32\"  }\n")]
    [InlineData("""{"torch_dtype": null}""")]
    [InlineData("""{"torch_dtype": 32}""")]
    [InlineData("""{"text": "\"dtype\": \"float16\""}""")]
    public void Another_config_is_left_byte_for_byte(string config) => Assert.Equal(config, Set(config, DType.F32));

    [Fact]
    public void The_models_within_are_said_to_be_of_the_dtype_too() => Assert.Equal(
        """{"text_config": {"torch_dtype": "bfloat16"}, "dtype": "bfloat16"}""",
        Set("""{"text_config": {"torch_dtype": "float32"}, "dtype": "float16"}""", DType.BF16));

    [Fact]
    public void Pythons_infinities_stay() => Assert.Equal(
        """{"time_step_limit": [0.0, Infinity], "torch_dtype": "bfloat16"}""",
        Set("""{"time_step_limit": [0.0, Infinity], "torch_dtype": "float32"}""", DType.BF16));

    [Fact]
    public void Without_a_config_there_is_none() => ConfigDType.Set(_folder["config.json"], DType.F32);

    private string Set(string config, DType dtype)
    {
        File.WriteAllText(_folder["config.json"], config);
        ConfigDType.Set(_folder["config.json"], dtype);
        return File.ReadAllText(_folder["config.json"]);
    }
}
