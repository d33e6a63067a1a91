import com.microsoft.azure.sdk.iot.device.DeviceClient;
import com.microsoft.azure.sdk.iot.device.IotHubClientProtocol;
import com.microsoft.azure.sdk.iot.device.Message;
import com.microsoft.azure.sdk.iot.service.auth.IotHubConnectionStringBuilder;
import com.microsoft.azure.sdk.iot.service.registry.Device;
import com.microsoft.azure.sdk.iot.service.registry.RegistryClient;

public class HubUser {
    public static void main(String[] args) throws Exception {
        String text = System.getenv("IOTHUB_CS");
        RegistryClient registry = new RegistryClient(text);
        String key = registry.addDevice(new Device("thermostat")).getPrimaryKey();

        String host = IotHubConnectionStringBuilder.createIotHubConnectionString(text).getHostName();
        DeviceClient device = new DeviceClient(
            "HostName=" + host + ";DeviceId=thermostat;SharedAccessKey=" + key,
            IotHubClientProtocol.MQTT
        );
        device.open(false);
        device.sendEvent(new Message("21.5"));
        System.out.println(registry.getDevice("thermostat").getConnectionState());
        device.close();
    }
}
